import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { change } from '../actions-api';
import { refreshFiles } from '../queries';
import { NameDialog } from './name-dialog';

/** Asks for an item's new name. */
export function RenameDialog({ item, onClose }: { item: Item | null; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const submit = async (name: string) => {
    if (!item) return;
    await change(item, { name });
    await refreshFiles(queries);
  };
  return (
    <NameDialog
      opened={item !== null}
      title={t('files.rename.title', { name: item?.name ?? '' })}
      label={t('files.rename.label')}
      submitLabel={t('files.rename.submit')}
      initial={item?.name ?? ''}
      keepExtension={item?.kind === 'file'}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
