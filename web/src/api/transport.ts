/**
 * The app's `fetch`: it has a timeout, reports the state of the connection, and retries after a 401 with a shared
 * refresh.
 */
import { reportReachable, reportUnreachable } from '@/lib/connection';
import { UnreachableError } from './problem';
import { type RefreshOutcome, refreshOnce } from './refresh';

const TIMEOUT_MS = 15_000;
/** Their 401 is about the given credentials, not about the session. */
const NO_REFRESH_ENDS = ['/auth/login', '/auth/register', '/auth/refresh', '/auth/logout'];
/** Where visitors of share links have grants instead of sessions. */
const VISITORS = '/api/v1/share-links/token/';
/** Statuses by which a proxy reports that the server behind it is unreachable. */
const PROXY_ERRORS = [502, 504];

type Ended = () => void;
let onEnded: Ended = () => {};

function isWithoutSession(path: string): boolean {
  return path.startsWith(VISITORS) || NO_REFRESH_ENDS.some((end) => path.endsWith(end));
}

/** Sets the handler for a session that has ended and cannot be refreshed. */
export function whenSessionEnds(handler: Ended): void {
  onEnded = handler;
}

/** `fetch` with a timeout. Throws `UnreachableError` without a response; rethrows the caller's own abort. */
async function send(request: Request): Promise<Response> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(request, { signal: AbortSignal.any([request.signal, limit]) });
    if (PROXY_ERRORS.includes(response.status)) reportUnreachable();
    else reportReachable();
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    reportUnreachable();
    throw new UnreachableError(limit.aborted);
  }
}

/** Requests a new session with the refresh cookie. */
async function requestRefresh(): Promise<RefreshOutcome> {
  const response = await send(
    new Request(new URL('/api/v1/auth/refresh', location.origin), {
      method: 'POST',
      credentials: 'same-origin',
    }),
  );
  if (response.ok) return 'renewed';
  if (response.status === 401 || response.status === 403) return 'ended';
  throw new UnreachableError();
}

/** Renews the session if it has expired since `since` (ms); `false` when it has ended. */
export async function renewSession(since = Date.now()): Promise<boolean> {
  const renewed = (await refreshOnce(requestRefresh, since)) === 'renewed';
  if (!renewed) onEnded();
  return renewed;
}

/** Sends an API request; see the top of this file. */
export async function transport(request: Request): Promise<Response> {
  const sentAt = Date.now();
  const again = request.clone();
  const response = await send(request);
  const path = new URL(request.url).pathname;
  if (response.status !== 401 || isWithoutSession(path)) return response;
  return (await renewSession(sentAt)) ? await send(again) : response;
}
