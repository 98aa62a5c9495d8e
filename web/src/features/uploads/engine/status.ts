/** The moves between an upload's statuses. What is not here cannot happen. */
import type { UploadStatus } from './types';

/** What can happen to an upload. */
export type UploadEvent =
  | 'start'
  | 'progress'
  | 'unreachable'
  | 'all-sent'
  | 'stored'
  | 'pause'
  | 'resume'
  | 'fail'
  | 'retry';

const MOVES: Record<UploadStatus, Partial<Record<UploadEvent, UploadStatus>>> = {
  queued: { start: 'uploading', pause: 'paused', fail: 'error' },
  uploading: {
    progress: 'uploading',
    unreachable: 'waiting',
    'all-sent': 'completing',
    pause: 'paused',
    fail: 'error',
  },
  waiting: {
    progress: 'uploading',
    unreachable: 'waiting',
    'all-sent': 'completing',
    stored: 'done',
    pause: 'paused',
    fail: 'error',
  },
  completing: { progress: 'uploading', unreachable: 'waiting', stored: 'done', fail: 'error' },
  paused: { resume: 'queued', fail: 'error' },
  interrupted: { resume: 'queued', fail: 'error' },
  error: { retry: 'queued', resume: 'queued', fail: 'error' },
  done: {},
};

/** Where `event` leads from `status`; stays where it is when the event means nothing there. */
export function nextStatus(status: UploadStatus, event: UploadEvent): UploadStatus {
  return MOVES[status][event] ?? status;
}

/** Whether `event` means something in `status`. */
export function allows(status: UploadStatus, event: UploadEvent): boolean {
  return event in MOVES[status];
}

/** Statuses in which closing the page would break off work. */
export function isActive(status: UploadStatus): boolean {
  return status === 'queued' || status === 'uploading' || status === 'waiting' || status === 'completing';
}
