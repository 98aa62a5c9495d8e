/** Totals over all uploads of the panel. */
import { secondsLeft } from './speed';
import { isActive } from './status';
import type { UploadItem, UploadStatus } from './types';

/** The totals. */
export interface Totals {
  count: number;
  done: number;
  active: number;
  paused: number;
  failed: number;
  interrupted: number;
  waiting: boolean;
  /** Bytes of all uploads that have not failed. */
  size: number;
  sent: number;
  /** Between 0 and 1. */
  share: number;
  speed: number;
  secondsLeft: number | null;
}

/** Sums up the rows in one pass; interrupted ones count only once they are resumed. */
export function totalsOf(items: UploadItem[]): Totals {
  const counts: Record<UploadStatus, number> = {
    queued: 0,
    uploading: 0,
    waiting: 0,
    completing: 0,
    paused: 0,
    done: 0,
    error: 0,
    interrupted: 0,
  };
  let [size, sent, speed, left, active] = [0, 0, 0, 0, 0];
  for (const item of items) {
    counts[item.status] += 1;
    if (item.status === 'interrupted' || item.status === 'error') continue;
    size += item.size;
    sent += item.status === 'done' ? item.size : item.sent;
    if (item.status === 'uploading' || item.status === 'completing') speed += item.speed;
    if (!isActive(item.status)) continue;
    active += 1;
    left += item.size - item.sent;
  }
  const counted = items.length - counts.interrupted - counts.error;
  const allDone = counted > 0 && counted === counts.done;
  return {
    count: items.length,
    done: counts.done,
    active,
    paused: counts.paused,
    failed: counts.error,
    interrupted: counts.interrupted,
    waiting: counts.waiting > 0 && active === counts.waiting + counts.queued,
    size,
    sent,
    share: allDone ? 1 : size > 0 ? Math.min(sent / size, 0.999) : 0,
    speed,
    secondsLeft: active ? secondsLeft(left, speed) : null,
  };
}

/** An upload's progress in whole percent; 100 only when it is done. */
export function percentOf(item: UploadItem): number {
  if (item.status === 'done') return 100;
  return item.size > 0 ? Math.min(99, Math.floor((item.sent / item.size) * 100)) : 0;
}
