/**
 * The silent refresh. A refresh token is spent by its use, so one browser must never send it twice: within a tab
 * all callers share one request, and between tabs a Web Lock lets one tab refresh while the others wait and then
 * see from the shared time stamp that it is done.
 */
import { readStored, writeStored } from '@/lib/storage';

const STAMP = 'metastore.refreshed-at';
const LOCK = 'metastore.refresh';

/** What the server said to a refresh: a new session, or none any more. */
export type RefreshAnswer = 'renewed' | 'ended';

type Ask = () => Promise<RefreshAnswer>;

let running: Promise<RefreshAnswer> | null = null;

/**
 * Renews the session once, for all who ask meanwhile. `since` is when (ms) the refused request was sent: when
 * another tab has renewed the session after that, nothing is asked. A failure to reach the server is thrown.
 */
export function refreshOnce(ask: Ask, since: number): Promise<RefreshAnswer> {
  running ??= locked(() => askUnlessFresh(ask, since)).finally(() => {
    running = null;
  });
  return running;
}

async function askUnlessFresh(ask: Ask, since: number): Promise<RefreshAnswer> {
  if (Number(readStored(STAMP) ?? 0) >= since) return 'renewed';
  const answer = await ask();
  if (answer === 'renewed') writeStored(STAMP, String(Date.now()));
  return answer;
}

/** Web Locks need a secure context; over plain HTTP on a LAN the server's grace of ten seconds has to do. */
async function locked<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? await navigator.locks.request(LOCK, work) : await work();
}
