/** The API calls for uploads, as an interface that tests replace. */
import { api, dataOf } from '@/api/client';
import type {
  FileItem,
  SentPart,
  UnfinishedUpload,
  UploadPlan,
  UploadRequest,
  UploadState,
} from '@/api/types';

/** The server as uploads see it. All calls throw `ApiProblem` or `UnreachableError`. */
export interface UploadServer {
  /** Initiates an upload; idempotent by `key`. */
  initiate(request: UploadRequest, key: string): Promise<UploadPlan>;
  /** Returns the stored parts, and fresh URLs. */
  state(uploadId: string): Promise<UploadState>;
  /** Completes an upload; idempotent. */
  complete(fileId: string, uploadId: string, parts: SentPart[]): Promise<FileItem>;
  /** Aborts an upload. */
  abort(uploadId: string): Promise<void>;
  /** Moves a file to the trash. */
  discard(fileId: string): Promise<void>;
  /** All of the user's unfinished uploads. */
  unfinished(): Promise<UnfinishedUpload[]>;
}

/** The real server. */
export const uploadServer: UploadServer = {
  initiate: (body, key) =>
    dataOf(api.POST('/api/v1/files/chunked-upload/initiate', { body, headers: { 'Idempotency-Key': key } })),
  state: (upload_id) =>
    dataOf(api.GET('/api/v1/files/chunked-upload/{upload_id}', { params: { path: { upload_id } } })),
  complete: async (fileId, uploadId, parts) =>
    (await dataOf(api.POST('/api/v1/files/chunked-upload/complete', { body: { fileId, uploadId, parts } })))
      .file,
  abort: async (upload_id) => {
    await dataOf(api.DELETE('/api/v1/files/chunked-upload/{upload_id}', { params: { path: { upload_id } } }));
  },
  discard: async (file_id) => {
    await dataOf(api.DELETE('/api/v1/files/{file_id}', { params: { path: { file_id } } }));
  },
  unfinished: async () => {
    const all: UnfinishedUpload[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: UnfinishedUpload[]; nextCursor?: string | null } = await dataOf(
        api.GET('/api/v1/files/chunked-upload', { params: { query: { limit: 200, cursor } } }),
      );
      all.push(...page.items);
      cursor = page.nextCursor ?? null;
    } while (cursor);
    return all;
  },
};
