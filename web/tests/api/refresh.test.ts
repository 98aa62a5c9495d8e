import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type RefreshOutcome, refreshOnce } from '@/api/refresh';

/** A lock manager with one holder at a time; the others wait in order. */
function fakeLocks() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_name: string, work: () => Promise<unknown>) => {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

beforeEach(() => {
  vi.stubGlobal('navigator', { ...navigator, locks: fakeLocks() });
});

describe('refreshOnce', () => {
  it('sends one request for all concurrent callers', async () => {
    const request = vi.fn(async (): Promise<RefreshOutcome> => 'renewed');
    const now = Date.now() + 1;
    const outcomes = await Promise.all([
      refreshOnce(request, now),
      refreshOnce(request, now),
      refreshOnce(request, now),
    ]);
    expect(outcomes).toEqual(['renewed', 'renewed', 'renewed']);
    expect(request).toHaveBeenCalledTimes(1);
  });

  it('sends no request if another tab has renewed the session since', async () => {
    const request = vi.fn(async (): Promise<RefreshOutcome> => 'renewed');
    localStorage.setItem('metastore.refreshed-at', String(Date.now() + 5));
    expect(await refreshOnce(request, Date.now())).toBe('renewed');
    expect(request).not.toHaveBeenCalled();
  });

  it('stores a timestamp for the other tabs', async () => {
    const before = Date.now();
    await refreshOnce(async () => 'renewed', before + 1);
    expect(Number(localStorage.getItem('metastore.refreshed-at'))).toBeGreaterThanOrEqual(before);
  });

  it('reports that the session has ended, and stores no timestamp', async () => {
    expect(await refreshOnce(async () => 'ended', Date.now())).toBe('ended');
    expect(localStorage.getItem('metastore.refreshed-at')).toBeNull();
  });

  it('rethrows a failure, after which it can be called again', async () => {
    await expect(refreshOnce(() => Promise.reject(new Error('no network')), Date.now())).rejects.toThrow(
      'no network',
    );
    expect(await refreshOnce(async () => 'renewed', Date.now() + 1)).toBe('renewed');
  });

  it('works without Web Locks, as over plain HTTP', async () => {
    vi.stubGlobal('navigator', { ...navigator, locks: undefined });
    expect(await refreshOnce(async () => 'renewed', Date.now() + 1)).toBe('renewed');
  });
});
