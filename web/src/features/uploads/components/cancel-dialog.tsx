import { Button, Group, Modal, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { UploadItem } from '../engine/types';
import { uploads } from '../uploads';

interface Props {
  item: UploadItem | null;
  onClose: () => void;
}

/** Asks for confirmation before an upload with sent bytes is cancelled. */
export function CancelDialog({ item, onClose }: Props) {
  const { t } = useTranslation();
  const confirm = () => {
    if (item) void uploads.cancel(item.id);
    onClose();
  };
  return (
    <Modal opened={item !== null} onClose={onClose} title={t('uploads.confirmCancel.title')}>
      <Text>{t('uploads.confirmCancel.text', { name: item?.name ?? '' })}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('uploads.confirmCancel.keep')}
        </Button>
        <Button color="red" onClick={confirm} data-testid="upload-cancel-confirm">
          {t('uploads.confirmCancel.submit')}
        </Button>
      </Group>
    </Modal>
  );
}
