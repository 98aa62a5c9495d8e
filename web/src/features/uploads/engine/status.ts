/** The state machine of an upload's status. */
import type { UploadStatus } from './types';

/** The events of an upload. */
export type UploadEvent =
  | 'start'
  | 'progress'
  | 'unreachable'
  | 'all-sent'
  | 'stored'
  | 'pause'
  | 'resume'
  | 'fail'
  | 'retry'
  | 'requeue';

const MOVES: Record<UploadStatus, Partial<Record<UploadEvent, UploadStatus>>> = {
  queued: { start: 'uploading', pause: 'paused', fail: 'error' },
  uploading: {
    progress: 'uploading',
    unreachable: 'waiting',
    'all-sent': 'completing',
    pause: 'paused',
    fail: 'error',
    requeue: 'queued',
  },
  waiting: {
    progress: 'uploading',
    unreachable: 'waiting',
    'all-sent': 'completing',
    stored: 'done',
    pause: 'paused',
    fail: 'error',
    requeue: 'queued',
  },
  completing: {
    progress: 'uploading',
    unreachable: 'waiting',
    stored: 'done',
    fail: 'error',
    requeue: 'queued',
  },
  paused: { resume: 'queued', fail: 'error' },
  interrupted: { resume: 'queued', fail: 'error' },
  error: { retry: 'queued', resume: 'queued', fail: 'error' },
  done: {},
};

/** Returns the status after `event`; unchanged if the event does not apply. */
export function nextStatus(status: UploadStatus, event: UploadEvent): UploadStatus {
  return MOVES[status][event] ?? status;
}

/** Whether `event` applies in `status`. */
export function allows(status: UploadStatus, event: UploadEvent): boolean {
  return event in MOVES[status];
}

/** Statuses in which closing the page would interrupt work. */
export function isActive(status: UploadStatus): boolean {
  return status === 'queued' || status === 'uploading' || status === 'waiting' || status === 'completing';
}
