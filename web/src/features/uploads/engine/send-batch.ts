/** Sends a batch of small files in one request. */
import { ApiProblem } from '@/api/problem';
import { renewSession } from '@/api/transport';
import type { BatchResponse, FileItem, Paths } from '@/api/types';
import { type BatchRequest, batchBody } from './batch-body';
import { refusalIn, sendBytes } from './send-bytes';

/** What became of one file: stored, or refused. */
export type BatchResult = { file: FileItem } | { problem: ApiProblem };

/**
 * Sends a batch and returns the results in the order of its files; idempotent by `key`. `onProgress` gets the bytes of
 * the body sent so far. Throws `ApiProblem` if the batch was refused as a whole, `UnreachableError` without a response.
 */
export type SendBatch = (
  request: BatchRequest,
  key: string,
  options: { signal: AbortSignal; onProgress: (sent: number) => void },
) => Promise<BatchResult[]>;

const PATH = '/api/v1/files/upload-batch' satisfies keyof Paths;

/** The real server's. A session that has expired is renewed. */
export const sendBatch: SendBatch = async (request, key, options) => {
  const headers = { 'Idempotency-Key': key };
  const send = () => sendBytes({ method: 'POST', url: PATH, body: batchBody(request), headers, ...options });
  const sentAt = Date.now();
  let response = await send();
  if (response.status === 401 && (await renewSession(sentAt))) response = await send();
  if (response.status !== 200) throw refusalIn(response);
  return resultsIn(response.responseText, request.files.length);
};

function resultsIn(text: string, count: number): BatchResult[] {
  const { items } = JSON.parse(text) as BatchResponse;
  return Array.from({ length: count }, (_, index) => {
    const item = items[index];
    if (!item) return { problem: new ApiProblem(500, 'internal-error', '') };
    if ('file' in item) return { file: item.file };
    const { status, code, detail, errors } = item.problem;
    return { problem: new ApiProblem(status, code, detail, errors) };
  });
}
