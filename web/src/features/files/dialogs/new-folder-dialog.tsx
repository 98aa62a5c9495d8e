import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Listing } from '@/api/types';
import { freeName } from '@/lib/names';
import { createFolder } from '../actions-api';
import { refreshFiles } from '../queries';
import { NameDialog } from './name-dialog';

interface Props {
  opened: boolean;
  parentId: string | null;
  onClose: () => void;
}

/** Asks for the name of a new folder, suggesting a free one. */
export function NewFolderDialog({ opened, parentId, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const listings = queries.getQueriesData<{ pages: Listing[] }>({ queryKey: ['files', 'folder', parentId] });
  const taken = listings.flatMap(
    ([, data]) => data?.pages.flatMap((page) => page.items.map(({ name }) => name)) ?? [],
  );
  const submit = async (name: string) => {
    await createFolder(name, parentId);
    await refreshFiles(queries);
  };
  return (
    <NameDialog
      opened={opened}
      title={t('files.create.title')}
      label={t('files.create.label')}
      submitLabel={t('files.create.submit')}
      initial={freeName(t('files.create.untitled'), taken)}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
