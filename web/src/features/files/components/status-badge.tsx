import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { formatPercent } from '@/lib/format';
import { useUnfinishedUploads } from '../unfinished-uploads';
import { FailedBadge } from './failed-badge';
import { ProcessingBadge } from './processing-badge';

/** A badge for a file that is not ready: unfinished, being processed, or failed. */
export function StatusBadge({ item }: { item: Item }) {
  const { t, i18n } = useTranslation();
  const { usePercent } = useUnfinishedUploads();
  const percent = usePercent(item.id);
  if (item.kind !== 'file' || item.status === 'READY') return null;
  if (item.status === 'FAILED') return <FailedBadge file={item} />;
  if (item.status === 'PROCESSING') return <ProcessingBadge file={item} />;
  const uploading = percent !== null;
  return (
    <Badge
      size="sm"
      radius="sm"
      variant="light"
      tt="none"
      color={uploading ? 'pine' : 'yellow'}
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
      style={{ flex: 'none' }}
      data-testid="status-badge"
    >
      {uploading
        ? t('files.status.uploadingNow', { percent: formatPercent(percent / 100, i18n.language) })
        : t(`files.status.${item.status}`)}
    </Badge>
  );
}
