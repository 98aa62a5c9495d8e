/** Retries a call while it fails temporarily. */
import { ApiProblem, isProblem, isTemporary } from '@/api/problem';
import { backOffDelay, delay } from './back-off';

/** Called before the pause before each retry. */
export type OnRetry = () => void;

/**
 * Runs `call` until it succeeds, fails permanently, or `signal` aborts. A missing response and 5xx are temporary, and so
 * is an earlier attempt that the server has not finished; the server's `Retry-After` is respected.
 */
export async function withRetries<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  onRetry: OnRetry,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isTemporary(error) && !isProblem(error, 'idempotency-in-progress')) throw error;
      onRetry();
      const requested = error instanceof ApiProblem ? (error.retryAfter ?? 0) * 1000 : 0;
      await delay(Math.max(requested, backOffDelay(attempt)), signal);
    }
  }
}
