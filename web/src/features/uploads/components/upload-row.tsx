import { ActionIcon, Progress, Text, Tooltip } from '@mantine/core';
import {
  IconCircleCheckFilled,
  IconExclamationCircle,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRefresh,
  IconX,
} from '@tabler/icons-react';
import { memo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { FileGlyph } from '@/components/file-glyph';
import { percentOf } from '../engine/totals';
import type { UploadItem, UploadStatus } from '../engine/types';
import { uploads, useUploads } from '../uploads';
import classes from './upload-row.module.css';
import { useUploadLine } from './use-upload-line';

const COLORS: Partial<Record<UploadStatus, string>> = {
  waiting: 'yellow.6',
  paused: 'gray.5',
  interrupted: 'gray.5',
};

interface Props {
  id: string;
  onResume: (id: string) => void;
  onCancel: (item: UploadItem) => void;
}

/** One upload: its name, state and buttons. */
export const UploadRow = memo(function UploadRow({ id, onResume, onCancel }: Props) {
  const item = useUploads(({ items }) => items[id]);
  return item ? <Row item={item} onResume={onResume} onCancel={onCancel} /> : null;
});

function Row({ item, onResume, onCancel }: { item: UploadItem } & Omit<Props, 'id'>) {
  const { t } = useTranslation();
  const line = useUploadLine(item);
  const percent = percentOf(item);
  const { name, status } = item;
  const unknown = status === 'interrupted' && item.storeUnavailable;
  return (
    <div
      className={classes.row}
      data-testid="upload-row"
      data-status={status}
      data-progress={unknown ? undefined : percent}
      data-name={name}
    >
      <FileGlyph name={name} size={22} />
      <div className={classes.middle}>
        <Text size="sm" fw={550} truncate title={`${item.path === '/' ? '' : item.path}/${name}`}>
          {name}
        </Text>
        <Text size="xs" className={`${classes.line} tabular`} data-tone={line.tone} lineClamp={3}>
          {line.text}
        </Text>
        {status !== 'done' && status !== 'error' && !unknown && (
          <Progress
            value={status === 'completing' ? 100 : percent}
            size={4}
            mt={5}
            striped={status === 'completing'}
            // Not for small files: hundreds of them end at once, and an animation repaints all the time.
            animated={status === 'completing' && item.uploadId !== null}
            color={COLORS[status] ?? 'var(--ms-accent)'}
            aria-label={t('uploads.progressOf', { name })}
            transitionDuration={200}
          />
        )}
      </div>
      <div className={classes.buttons}>
        <Buttons item={item} onResume={onResume} onCancel={onCancel} />
      </div>
    </div>
  );
}

function Buttons({ item, onResume, onCancel }: { item: UploadItem } & Omit<Props, 'id'>) {
  const { t } = useTranslation();
  const { id, name, status } = item;
  if (status === 'done') return <IconCircleCheckFilled size={20} className={classes.done} aria-hidden />;
  const pausable = status === 'queued' || status === 'uploading' || status === 'waiting';
  const resumable = status === 'paused' || status === 'interrupted';
  const retriable = status === 'error' && item.fault?.kind !== 'finished';
  return (
    <>
      {status === 'error' && <IconExclamationCircle size={20} className={classes.bad} aria-hidden />}
      {pausable && (
        <RowButton
          label={t('uploads.pause', { name })}
          testId="upload-pause"
          onClick={() => uploads.pause(id)}
        >
          <IconPlayerPauseFilled size={16} />
        </RowButton>
      )}
      {resumable && (
        <RowButton
          label={t(item.readable ? 'uploads.resume' : 'uploads.choose', { name })}
          testId="upload-resume"
          onClick={() => onResume(id)}
        >
          <IconPlayerPlayFilled size={16} />
        </RowButton>
      )}
      {retriable && (
        <RowButton label={t('uploads.retry', { name })} testId="upload-retry" onClick={() => onResume(id)}>
          <IconRefresh size={18} />
        </RowButton>
      )}
      {status !== 'completing' && (
        <RowButton
          label={t('uploads.cancel', { name })}
          testId="upload-cancel"
          onClick={() => onCancel(item)}
        >
          <IconX size={18} />
        </RowButton>
      )}
    </>
  );
}

interface RowButtonProps {
  label: string;
  testId: string;
  onClick: () => void;
  children: ReactNode;
}

function RowButton({ label, testId, onClick, children }: RowButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon size={32} onClick={onClick} aria-label={label} data-testid={testId}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
