/** Keeps trying a call while its trouble is of the passing kind. */
import { ApiProblem, isPassing } from '@/api/problem';
import { backOffDelay, rest } from './back-off';

/** Told before each rest. */
export type OnTrouble = () => void;

/**
 * Runs `call` until it succeeds, fails for good, or `signal` aborts. No answer and 5xx are passing; the server's
 * `Retry-After` is obeyed.
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
