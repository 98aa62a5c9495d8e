import { describe, expect, it } from 'vitest';
import { panelOrder } from '@/features/uploads/engine/store';
import { percentOf, totalsOf } from '@/features/uploads/engine/totals';
import type { UploadItem, UploadStatus } from '@/features/uploads/engine/types';

function item(status: UploadStatus, sent: number, size = 100, speed = 0): UploadItem {
  return {
    id: '1',
    name: 'a',
    size,
    lastModified: 1,
    path: '/',
    status,
    fault: null,
    sent,
    storeUnavailable: false,
    speed,
    uploadId: null,
    fileId: null,
    storedName: null,
    readable: true,
  };
}

describe('all uploads together', () => {
  it('add up sizes, speeds and the time left', () => {
    const totals = totalsOf([
      item('uploading', 50, 100, 10),
      item('uploading', 0, 100, 5),
      item('done', 100),
    ]);
    expect(totals).toMatchObject({
      active: 2,
      done: 1,
      size: 300,
      sent: 150,
      share: 0.5,
      speed: 15,
      secondsLeft: 10,
    });
  });

  it('leave out what is interrupted or failed', () => {
    expect(totalsOf([item('interrupted', 50), item('error', 50), item('done', 100)])).toMatchObject({
      share: 1,
      failed: 1,
      interrupted: 1,
    });
  });

  it('are waiting when none of them moves', () => {
    expect(totalsOf([item('waiting', 1), item('queued', 0)]).waiting).toBe(true);
    expect(totalsOf([item('waiting', 1), item('uploading', 0)]).waiting).toBe(false);
    expect(totalsOf([item('queued', 0)]).waiting).toBe(false);
  });
});

describe('the panel', () => {
  it('shows first what needs the user, then what moves, what is queued, and what is done', () => {
    const statuses: UploadStatus[] = [
      'done',
      'queued',
      'uploading',
      'error',
      'paused',
      'interrupted',
      'queued',
    ];
    const items = Object.fromEntries(statuses.map((status, index) => [String(index), item(status, 0)]));
    expect(panelOrder({ items, order: Object.keys(items) })).toEqual(['3', '5', '2', '4', '1', '6', '0']);
  });
});

describe('the percent of one', () => {
  it('reach 100 only with the end', () => {
    expect(percentOf(item('completing', 100))).toBe(99);
    expect(percentOf(item('done', 100))).toBe(100);
    expect(percentOf(item('uploading', 0, 0))).toBe(0);
  });
});
