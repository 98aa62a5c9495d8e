/**
 * Sends one part to its URL, with XMLHttpRequest, since `fetch` reports no upload progress. It sends no cookies to an
 * external store, and our own store needs none.
 */
import { ApiProblem, UnreachableError } from '@/api/problem';
import { reportReachable, reportUnreachable } from '@/lib/connection';

/** Without progress for this long, the connection counts as lost. */
const STALL_MS = 30_000;

/** Sends `body` and returns the ETag; `onProgress` gets the bytes of this part sent so far. */
export type SendPart = (
  url: string,
  body: Blob,
  options: { signal: AbortSignal; onProgress: (sent: number) => void },
) => Promise<string>;

/** Sends a part. Throws `ApiProblem` for an error response and `UnreachableError` without a response. */
export const sendPart: SendPart = (url, body, { signal, onProgress }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    // An external store says nothing about our server.
    const ours = new URL(url, location.href).origin === location.origin;
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
    request.open('PUT', url);
    request.upload.onprogress = (event) => {
      alive();
      onProgress(event.loaded);
    };
    request.onload = () =>
      settle(() => {
        if (ours && request.status !== 502 && request.status !== 504) reportReachable();
        const etag = request.getResponseHeader('ETag');
        if (request.status >= 200 && request.status < 300 && etag) resolve(etag);
        else reject(refusal(request, etag));
      });
    request.onerror = () =>
      settle(() => {
        if (ours) reportUnreachable();
        reject(new UnreachableError());
      });
    request.onabort = () => settle(() => reject(signal.aborted ? signal.reason : new UnreachableError(true)));
    signal.addEventListener('abort', abort, { once: true });
    alive();
    request.send(body);
  });

function refusal(request: XMLHttpRequest, etag: string | null): ApiProblem {
  if (request.status < 300 && !etag)
    return new ApiProblem(request.status, 'no-etag', 'The store sent no ETag.');
  try {
    const { code, detail } = JSON.parse(request.responseText) as { code?: string; detail?: string };
    return new ApiProblem(request.status, code ?? `http-${request.status}`, detail ?? '');
  } catch {
    return new ApiProblem(request.status, `http-${request.status}`, '');
  }
}
