/**
 * Sends bytes with XMLHttpRequest, since `fetch` reports no upload progress.
 */
import { ApiProblem, UnreachableError } from '@/api/problem';
import { reportReachable, reportUnreachable } from '@/lib/connection';

/** Without progress for this long, the connection counts as lost. */
const STALL_MS = 30_000;

/** What to send, and where. `onProgress` gets the bytes sent so far. */
export interface Sending {
  method: 'PUT' | 'POST';
  url: string;
  body: Blob;
  headers?: Record<string, string>;
  signal: AbortSignal;
  onProgress: (sent: number) => void;
}

/** Sends a body and returns the response, whatever its status. Throws `UnreachableError` without a response. */
export function sendBytes(sending: Sending): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const { signal } = sending;
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    // An external store says nothing about our server.
    const ours = new URL(sending.url, location.href).origin === location.origin;
    let watchdog: ReturnType<typeof setTimeout>;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => request.abort(), STALL_MS);
    };
    const abort = () => request.abort();
    const settle = (finish: () => void) => {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', abort);
      finish();
    };
    request.open(sending.method, sending.url);
    for (const [name, value] of Object.entries(sending.headers ?? {})) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      alive();
      sending.onProgress(event.loaded);
    };
    request.onload = () =>
      settle(() => {
        if (ours && request.status !== 502 && request.status !== 504) reportReachable();
        resolve(request);
      });
    request.onerror = () =>
      settle(() => {
        if (ours) reportUnreachable();
        reject(new UnreachableError());
      });
    request.onabort = () => settle(() => reject(signal.aborted ? signal.reason : new UnreachableError(true)));
    signal.addEventListener('abort', abort, { once: true });
    alive();
    request.send(sending.body);
  });
}

/** Returns the error of a response that has none of the statuses of success. */
export function refusalIn(request: XMLHttpRequest): ApiProblem {
  const wait = Number.parseInt(request.getResponseHeader('Retry-After') ?? '', 10);
  return problemIn(request.responseText, request.status, Number.isFinite(wait) ? wait : null);
}

function problemIn(text: string, status: number, retryAfter: number | null): ApiProblem {
  try {
    const { code, detail, errors } = JSON.parse(text) as Partial<ApiProblem>;
    return new ApiProblem(status, code ?? `http-${status}`, detail ?? '', errors ?? [], retryAfter);
  } catch {
    return new ApiProblem(status, `http-${status}`, '', [], retryAfter);
  }
}
