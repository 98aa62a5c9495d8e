import { describe, expect, it } from 'vitest';
import { allows, isActive, nextStatus } from '@/features/uploads/engine/status';
import type { UploadStatus } from '@/features/uploads/engine/types';

describe('an upload', () => {
  it('goes from queued to done', () => {
    const seen: UploadStatus[] = ['queued'];
    for (const event of ['start', 'progress', 'all-sent', 'stored'] as const) {
      seen.push(nextStatus(seen.at(-1) ?? 'queued', event));
    }
    expect(seen).toEqual(['queued', 'uploading', 'uploading', 'completing', 'done']);
  });

  it('waits while the server is unreachable and continues with the first byte', () => {
    expect(nextStatus('uploading', 'unreachable')).toBe('waiting');
    expect(nextStatus('waiting', 'progress')).toBe('uploading');
    expect(nextStatus('completing', 'unreachable')).toBe('waiting');
    expect(nextStatus('waiting', 'stored')).toBe('done');
  });

  it('can be paused until it is being completed', () => {
    expect(nextStatus('waiting', 'pause')).toBe('paused');
    expect(allows('completing', 'pause')).toBe(false);
    expect(nextStatus('paused', 'resume')).toBe('queued');
  });

  it('ignores late progress once it is paused or failed', () => {
    expect(nextStatus('paused', 'progress')).toBe('paused');
    expect(nextStatus('error', 'progress')).toBe('error');
  });

  it('stays done', () => {
    expect(nextStatus('done', 'fail')).toBe('done');
  });

  it('is active only while closing the page would interrupt it', () => {
    expect((['queued', 'uploading', 'waiting', 'completing'] as const).every(isActive)).toBe(true);
    expect((['paused', 'done', 'error', 'interrupted'] as const).some(isActive)).toBe(false);
  });
});
