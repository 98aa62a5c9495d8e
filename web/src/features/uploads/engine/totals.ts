/** Totals over all uploads of the panel. */
import { secondsLeft } from './speed';
import { isActive } from './status';
import type { UploadItem } from './types';

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

/** Sums up the rows; interrupted ones count only once they are resumed. */
export function totalsOf(items: UploadItem[]): Totals {
  const counted = items.filter((item) => item.status !== 'interrupted' && item.status !== 'error');
  const size = sum(counted, (item) => item.size);
  const sent = sum(counted, (item) => (item.status === 'done' ? item.size : item.sent));
  const speed = sum(items, (item) => (item.status === 'uploading' ? item.speed : 0));
  const active = items.filter((item) => isActive(item.status));
  const left = sum(active, (item) => item.size - item.sent);
  const allDone = counted.length > 0 && counted.every((item) => item.status === 'done');
  return {
    count: items.length,
    done: number(items, 'done'),
    active: active.length,
    paused: number(items, 'paused'),
    failed: number(items, 'error'),
    interrupted: number(items, 'interrupted'),
    waiting:
      active.length > 0 &&
      active.every((item) => item.status === 'waiting' || item.status === 'queued') &&
      number(items, 'waiting') > 0,
    size,
    sent,
    share: allDone ? 1 : size > 0 ? Math.min(sent / size, 0.999) : 0,
    speed,
    secondsLeft: active.length ? secondsLeft(left, speed) : null,
  };
}

/** An upload's progress in whole percent; 100 only when it is done. */
export function percentOf(item: UploadItem): number {
  if (item.status === 'done') return 100;
  return item.size > 0 ? Math.min(99, Math.floor((item.sent / item.size) * 100)) : 0;
}

function sum(items: UploadItem[], value: (item: UploadItem) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function number(items: UploadItem[], status: UploadItem['status']): number {
  return items.filter((item) => item.status === status).length;
}
