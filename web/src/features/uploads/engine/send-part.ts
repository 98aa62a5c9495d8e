/** Sends one part to its URL. It sends no cookies to an external store, and our own store needs none. */
import { ApiProblem } from '@/api/problem';
import { refusalIn, sendBytes } from './send-bytes';

/** Sends `body` and returns the ETag; `onProgress` gets the bytes of this part sent so far. */
export type SendPart = (
  url: string,
  body: Blob,
  options: { signal: AbortSignal; onProgress: (sent: number) => void },
) => Promise<string>;

/** Sends a part. Throws `ApiProblem` for an error response and `UnreachableError` without a response. */
export const sendPart: SendPart = async (url, body, options) => {
  const response = await sendBytes({ method: 'PUT', url, body, ...options });
  if (response.status < 200 || response.status >= 300) throw refusalIn(response);
  const etag = response.getResponseHeader('ETag');
  if (!etag) throw new ApiProblem(response.status, 'no-etag', 'The store sent no ETag.');
  return etag;
};
