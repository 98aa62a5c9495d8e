import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type RefreshOutcome, refreshOnce } from '@/api/refresh';

/** A lock manager as browsers have it: one holder a name, the others wait in order. */
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

describe('the silent refresh', () => {
  it('is asked once for all who want it at the same time', async () => {
    const ask = vi.fn(async (): Promise<RefreshOutcome> => 'renewed');
    const now = Date.now() + 1;
    const answers = await Promise.all([refreshOnce(ask, now), refreshOnce(ask, now), refreshOnce(ask, now)]);
    expect(answers).toEqual(['renewed', 'renewed', 'renewed']);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('is not asked when another tab has renewed the session since', async () => {
    const ask = vi.fn(async (): Promise<RefreshOutcome> => 'renewed');
    localStorage.setItem('metastore.refreshed-at', String(Date.now() + 5));
    expect(await refreshOnce(ask, Date.now())).toBe('renewed');
    expect(ask).not.toHaveBeenCalled();
  });

  it('leaves a time stamp for the other tabs', async () => {
    const before = Date.now();
    await refreshOnce(async () => 'renewed', before + 1);
    expect(Number(localStorage.getItem('metastore.refreshed-at'))).toBeGreaterThanOrEqual(before);
  });

  it('says when the session has ended, and leaves no stamp', async () => {
    expect(await refreshOnce(async () => 'ended', Date.now())).toBe('ended');
    expect(localStorage.getItem('metastore.refreshed-at')).toBeNull();
  });

  it('passes a failure on and can be asked again', async () => {
    await expect(refreshOnce(() => Promise.reject(new Error('no network')), Date.now())).rejects.toThrow(
      'no network',
    );
    expect(await refreshOnce(async () => 'renewed', Date.now() + 1)).toBe('renewed');
  });

  it('works without locks, as over plain HTTP', async () => {
    vi.stubGlobal('navigator', { ...navigator, locks: undefined });
    expect(await refreshOnce(async () => 'renewed', Date.now() + 1)).toBe('renewed');
  });
});
