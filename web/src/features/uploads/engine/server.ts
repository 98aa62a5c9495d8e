/** The calls that uploading needs, as an interface that tests stand in for. */
import { answer, api } from '@/api/client';
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
  /** Reserves space; the same `key` never reserves twice. */
  initiate(request: UploadRequest, key: string): Promise<UploadPlan>;
  /** What has arrived, and fresh URLs. */
  state(uploadId: string): Promise<UploadState>;
  /** Makes the file of its parts; twice is the same as once. */
  complete(fileId: string, uploadId: string, parts: SentPart[]): Promise<FileItem>;
  /** Gives the upload up. */
  abort(uploadId: string): Promise<void>;
  /** All of the user's unfinished uploads. */
  unfinished(): Promise<UnfinishedUpload[]>;
}

/** The real server. */
export const uploadServer: UploadServer = {
  initiate: (body, key) =>
    answer(api.POST('/api/v1/files/chunked-upload/initiate', { body, headers: { 'Idempotency-Key': key } })),
  state: (upload_id) =>
    answer(api.GET('/api/v1/files/chunked-upload/{upload_id}', { params: { path: { upload_id } } })),
  complete: async (fileId, uploadId, parts) =>
    (await answer(api.POST('/api/v1/files/chunked-upload/complete', { body: { fileId, uploadId, parts } })))
      .file,
  abort: async (upload_id) => {
    await answer(api.DELETE('/api/v1/files/chunked-upload/{upload_id}', { params: { path: { upload_id } } }));
  },
  unfinished: async () => {
    const all: UnfinishedUpload[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: UnfinishedUpload[]; nextCursor?: string | null } = await answer(
        api.GET('/api/v1/files/chunked-upload', { params: { query: { limit: 200, cursor } } }),
      );
      all.push(...page.items);
      cursor = page.nextCursor ?? null;
    } while (cursor);
    return all;
  },
};
