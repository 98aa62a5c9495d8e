/**
 * The silent refresh. A refresh token can be used only once, so a browser must never send it twice. Within a tab all
 * callers share one request. Between tabs a Web Lock lets one tab refresh while the others wait; they then see from a
 * shared timestamp that it is done.
 */
import { readStored, writeStored } from '@/lib/storage';

const STAMP = 'metastore.refreshed-at';
const LOCK = 'metastore.refresh';

/** The outcome of a refresh: a renewed session, or an ended one. */
export type RefreshOutcome = 'renewed' | 'ended';

type Refresh = () => Promise<RefreshOutcome>;

let running: Promise<RefreshOutcome> | null = null;

/**
 * Renews the session once for all concurrent callers. `since` is when (ms) the rejected request was sent: if another
 * tab has renewed the session after that, no request is sent. Throws when the server cannot be reached.
 */
export function refreshOnce(request: Refresh, since: number): Promise<RefreshOutcome> {
  running ??= locked(() => refreshUnlessFresh(request, since)).finally(() => {
    running = null;
  });
  return running;
}

async function refreshUnlessFresh(request: Refresh, since: number): Promise<RefreshOutcome> {
  if (Number(readStored(STAMP) ?? 0) >= since) return 'renewed';
  const outcome = await request();
  if (outcome === 'renewed') writeStored(STAMP, String(Date.now()));
  return outcome;
}

/** Web Locks need a secure context; over plain HTTP the server's grace period of ten seconds covers the race. */
async function locked<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? await navigator.locks.request(LOCK, work) : await work();
}
