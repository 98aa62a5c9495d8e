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

describe('the totals of all uploads', () => {
  it('sum up sizes, speeds and the time left', () => {
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

  it('leave out interrupted and failed uploads', () => {
    expect(totalsOf([item('interrupted', 50), item('error', 50), item('done', 100)])).toMatchObject({
      share: 1,
      failed: 1,
      interrupted: 1,
    });
  });

  it('are waiting when no upload is running', () => {
    expect(totalsOf([item('waiting', 1), item('queued', 0)]).waiting).toBe(true);
    expect(totalsOf([item('waiting', 1), item('uploading', 0)]).waiting).toBe(false);
    expect(totalsOf([item('queued', 0)]).waiting).toBe(false);
  });
});

describe('the panel', () => {
  it('lists uploads that need the user first, then active, queued and finished ones', () => {
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

describe('the percentage of an upload', () => {
  it('reaches 100 only when it is done', () => {
    expect(percentOf(item('completing', 100))).toBe(99);
    expect(percentOf(item('done', 100))).toBe(100);
    expect(percentOf(item('uploading', 0, 0))).toBe(0);
  });
});
