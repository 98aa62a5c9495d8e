import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { stepKey, useProgress } from '@/components/file-progress';
import { formatPercent } from '@/lib/format';
import classes from './status-badge.module.css';

/** The progress as text, for where a badge does not fit. */
export function ProcessingLine({ file }: { file: FileItem }) {
  const { t } = useTranslation();
  const now = useProgress(file);
  return now && t(stepKey(now.step));
}

/** The running step of a file's processing, with live progress. */
export function ProcessingBadge({ file }: { file: FileItem }) {
  const { t, i18n } = useTranslation();
  const now = useProgress(file);
  if (!now) return null;
  const label = t(stepKey(now.step));
  return (
    <span
      className={classes.working}
      data-testid="status-badge"
      data-step={now.step ?? undefined}
      data-progress={now.progress}
    >
      <span className={classes.step}>{label}</span>
      <span
        className={classes.track}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={now.progress}
      >
        <span className={classes.fill} style={{ width: `${Math.min(100, Math.max(0, now.progress))}%` }} />
      </span>
      <span className="tabular">{formatPercent(now.progress / 100, i18n.language)}</span>
    </span>
  );
}
