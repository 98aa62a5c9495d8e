/** Back-off between attempts: growing up to a limit, and cut short when the server is reachable again. */
import { useConnection } from '@/lib/connection';

const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/** Returns the delay before attempt number `attempt` (from 0) in ms, with jitter of a third. */
export function backOffDelay(attempt: number, chance = Math.random()): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(full * (2 / 3 + chance / 3));
}

/** Waits `ms`; ends early when the server is reachable again, and rejects when `signal` aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      stopWatching();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    const stopWatching = useConnection.subscribe((now, before) => {
      const back = (now.reachable && !before.reachable) || (now.online && !before.online);
      if (back) end(resolve);
    });
    const timer = setTimeout(() => end(resolve), ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
