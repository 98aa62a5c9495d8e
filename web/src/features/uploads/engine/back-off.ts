/** Waiting between tries: longer each time, never long, and cut short when the way is free again. */
import { useConnection } from '@/lib/connection';

const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/** How long to wait before try number `attempt` (from 0), in ms; a third of it is chance. */
export function backOffDelay(attempt: number, chance = Math.random()): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(full * (2 / 3 + chance / 3));
}

/** Waits that long; ends early when the server is heard of again, and with an abort when `signal` says so. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
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
