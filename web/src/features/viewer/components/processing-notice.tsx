import { Button } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { stepKey, useProgress } from '@/components/file-progress';
import { useReasonText } from '@/components/reason-text';
import { formatPercent } from '@/lib/format';
import { useViewerSource } from '../source';
import { Notice } from './notice';
import classes from './processing-notice.module.css';

interface Props {
  file: FileItem;
  title: string;
  text: string;
  onDownload: (() => void) | undefined;
}

/** Shown while a file is being processed, or when its processing failed. */
export function ProcessingNotice({ file, title, text, onDownload }: Props) {
  const { t } = useTranslation();
  const reasonText = useReasonText();
  const { retry } = useViewerSource();
  if (file.status !== 'FAILED') {
    return (
      <Notice
        icon={<FileGlyph name={file.name} mimeType={file.mimeType} size={38} />}
        title={title}
        text={text}
        onDownload={onDownload}
      >
        <Step file={file} />
      </Notice>
    );
  }
  return (
    <Notice
      icon={<IconAlertTriangle size={38} />}
      title={t('files.processing.failed')}
      text={[reasonText(file.processing?.reasonCode), t('files.processing.safe')].join(' ')}
      onDownload={onDownload}
    >
      {retry && file.processing?.retryable && (
        <Button
          mt="md"
          variant="default"
          className={classes.retry}
          leftSection={<IconRefresh size={18} />}
          onClick={() => retry(file)}
          data-testid="viewer-retry"
        >
          {t('files.action.retry')}
        </Button>
      )}
    </Notice>
  );
}

/** The running step and its live progress. */
function Step({ file }: { file: FileItem }) {
  const { t, i18n } = useTranslation();
  const now = useProgress(file);
  if (!now) return null;
  const label = t(stepKey(now.step));
  return (
    <div className={classes.step} data-testid="viewer-step" data-step={now.step ?? undefined}>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={now.progress}
        className={classes.track}
      >
        <span className={classes.fill} style={{ width: `${Math.min(100, Math.max(0, now.progress))}%` }} />
      </div>
      <span className={classes.words}>
        <span>{label}</span>
        <span className="tabular">{formatPercent(now.progress / 100, i18n.language)}</span>
      </span>
    </div>
  );
}
