import { Button, Group, Modal, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';

interface Props {
  /** The items to purge, or all of the trash. */
  what: Item[] | 'all' | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for confirmation before items are purged. */
export function PurgeDialog({ what, onConfirm, onClose }: Props) {
  const { t } = useTranslation();
  const items = Array.isArray(what) ? what : [];
  const text =
    what === 'all'
      ? t('files.purge.empty')
      : t('files.purge.text', { count: items.length, name: items[0]?.name ?? '' });
  return (
    <Modal opened={what !== null} onClose={onClose} title={t('files.purge.title')}>
      <Text>{text}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button color="red" onClick={onConfirm} data-testid="purge-confirm">
          {t('files.purge.submit')}
        </Button>
      </Group>
    </Modal>
  );
}
