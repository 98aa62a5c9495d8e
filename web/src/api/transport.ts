/**
 * The one `fetch` of the app: it gives up in time, tells the connection's state, and answers a 401 by one shared
 * refresh and a second try.
 */
import { reportReachable, reportUnreachable } from '@/lib/connection';
import { UnreachableError } from './problem';
import { type RefreshAnswer, refreshOnce } from './refresh';

const TIMEOUT_MS = 15_000;
/** Their 401 is an answer about the credentials given, not about the session. */
const NO_REFRESH = ['/auth/login', '/auth/register', '/auth/refresh', '/auth/logout'];
/** The answers that a proxy gives when the server behind it is away. */
const AWAY = [502, 504];

type Ended = () => void;
let onEnded: Ended = () => {};

/** Says what to do when the session has ended and no refresh helps. */
export function whenSessionEnds(handler: Ended): void {
  onEnded = handler;
}

/** `fetch` with a time limit. Throws `UnreachableError` when no answer comes; a caller's own abort is passed on. */
async function send(request: Request): Promise<Response> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(request, { signal: AbortSignal.any([request.signal, limit]) });
    if (AWAY.includes(response.status)) reportUnreachable();
    else reportReachable();
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    reportUnreachable();
    throw new UnreachableError(limit.aborted);
  }
}

/** Asks the server for a new session by the refresh cookie. */
async function askRefresh(): Promise<RefreshAnswer> {
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
  const renewed = (await refreshOnce(askRefresh, since)) === 'renewed';
  if (!renewed) onEnded();
  return renewed;
}

/** Sends a request of the API; see the head of this file. */
export async function transport(request: Request): Promise<Response> {
  const sentAt = Date.now();
  const again = request.clone();
  const response = await send(request);
  const path = new URL(request.url).pathname;
  if (response.status !== 401 || NO_REFRESH.some((end) => path.endsWith(end))) return response;
  return (await renewSession(sentAt)) ? await send(again) : response;
}
