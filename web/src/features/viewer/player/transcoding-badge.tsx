import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { useProgress } from '@/components/file-progress';
import { formatPercent } from '@/lib/format';
import classes from './badge.module.css';

/** A badge that says that higher qualities are being made, with progress. */
export function TranscodingBadge({ file }: { file: FileItem }) {
  const { t, i18n } = useTranslation();
  const now = useProgress(file);
  const known = now?.step === 'transcode' && now.progress > 0;
  return (
    <span className={`${classes.badge} tabular`} data-testid="making-badge">
      {known
        ? t('viewer.player.transcodingAt', { percent: formatPercent(now.progress / 100, i18n.language) })
        : t('viewer.player.transcoding')}
    </span>
  );
}
