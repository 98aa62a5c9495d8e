/** Retries a call while it fails temporarily. */
import { ApiProblem, isPassing } from '@/api/problem';
import { backOffDelay, rest } from './back-off';

/** Called before each wait. */
export type OnTrouble = () => void;

/**
 * Runs `call` until it succeeds, fails permanently, or `signal` aborts. A missing response and 5xx are temporary; the
 * server's `Retry-After` is respected.
 */
export async function persist<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  onTrouble: OnTrouble,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      onTrouble();
      const asked = error instanceof ApiProblem ? (error.retryAfter ?? 0) * 1000 : 0;
      await rest(Math.max(asked, backOffDelay(attempt)), signal);
    }
  }
}
