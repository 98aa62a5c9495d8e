import { ApiProblem, UnreachableError } from '@/api/problem';
import type { FileItem, SentPart, UnfinishedUpload, UploadRequest } from '@/api/types';
import type { BatchResult, SendBatch } from '@/features/uploads/engine/send-batch';
import type { SendPart } from '@/features/uploads/engine/send-part';
import type { UploadServer } from '@/features/uploads/engine/server';

interface StoredUpload {
  request: UploadRequest;
  parts: Map<number, { etag: string; bytes: Blob }>;
}

/** An upload server in memory, with configurable failures. */
export class FakeUploadServer implements UploadServer {
  partSize = 4;
  /** Whether the server is unreachable. */
  down = false;
  /** Errors for the next parts. */
  readonly partErrors: Error[] = [];
  /** Errors for the next completions. */
  readonly completeErrors: Error[] = [];
  /** The generation of valid URLs; older ones are refused. */
  generation = 0;
  initiateError: Error | null = null;
  readonly uploads = new Map<string, StoredUpload>();
  readonly stored: FileItem[] = [];
  readonly aborted: string[] = [];
  readonly sentParts: number[] = [];
  inFlight = 0;
  maxInFlight = 0;
  /** After this many parts, no further one gets a response. */
  hangAfter = Number.POSITIVE_INFINITY;
  /** Parts wait for this promise. */
  gate: Promise<void> = Promise.resolve();
  /** The paths of the files of each batch that arrived, and its key. */
  readonly batches: { key: string; paths: string[] }[] = [];
  /** Files that were moved to the trash. */
  readonly discarded: string[] = [];
  /** Errors for the next batches: before anything is stored, or, with `lost`, in place of the response. */
  readonly batchErrors: { error: Error; lost?: boolean }[] = [];
  /** Errors for files of batches, by name. */
  readonly refused = new Map<string, ApiProblem>();
  readonly #results = new Map<string, BatchResult[]>();
  readonly #keys = new Map<string, string>();

  async initiate(request: UploadRequest, key: string) {
    this.#checkReachable();
    if (this.initiateError) throw this.initiateError;
    const uploadId = this.#keys.get(key) ?? `u${this.#keys.size + 1}`;
    this.#keys.set(key, uploadId);
    if (!this.uploads.has(uploadId)) this.uploads.set(uploadId, { request, parts: new Map() });
    return this.#plan(uploadId);
  }

  async state(uploadId: string) {
    this.#checkReachable();
    const { request, parts } = this.#find(uploadId);
    const listed = [...parts].map(([partNumber, { etag, bytes }]) => ({
      partNumber,
      etag,
      size: bytes.size,
    }));
    return { ...this.#plan(uploadId), size: request.size, parts: listed };
  }

  async complete(fileId: string, uploadId: string, parts: SentPart[]) {
    this.#checkReachable();
    const error = this.completeErrors.shift();
    if (error) throw error;
    const upload = this.#find(uploadId);
    const count = Math.ceil(upload.request.size / this.partSize);
    if (
      parts.length !== count ||
      parts.some(({ partNumber, etag }) => upload.parts.get(partNumber)?.etag !== etag)
    ) {
      throw new ApiProblem(400, 'missing-part', 'A part is missing.');
    }
    this.uploads.delete(uploadId);
    const file = {
      id: fileId,
      kind: 'file',
      name: upload.request.name,
      size: upload.request.size,
    } as FileItem;
    this.stored.push(file);
    return file;
  }

  async abort(uploadId: string) {
    this.#checkReachable();
    this.aborted.push(uploadId);
    this.uploads.delete(uploadId);
  }

  async discard(fileId: string) {
    this.discarded.push(fileId);
  }

  async unfinished(): Promise<UnfinishedUpload[]> {
    this.#checkReachable();
    return [...this.uploads].map(([uploadId, { request, parts }]) => ({
      fileId: `f-${uploadId}`,
      uploadId,
      name: request.name,
      path: request.path ?? '/',
      size: request.size,
      partSize: this.partSize,
      receivedBytes: [...parts.values()].reduce((sum, { bytes }) => sum + bytes.size, 0),
      createdAt: '2026-01-01T00:00:00Z',
      expiresAt: '2026-01-02T00:00:00Z',
    }));
  }

  /** Stores a part, as the object store does. */
  readonly sendPart: SendPart = async (url, body, { signal, onProgress }) => {
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      await this.gate;
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.sentParts.length >= this.hangAfter) await rejectOnAbort(signal);
      signal.throwIfAborted();
      this.#checkReachable();
      const error = this.partErrors.shift();
      if (error) throw error;
      const [uploadId = '', number = '', generation = ''] = url.split('/');
      if (Number(generation) !== this.generation)
        throw new ApiProblem(403, 'expired', 'The URL has expired.');
      onProgress(body.size);
      const etag = `"${number}-${body.size}"`;
      this.#find(uploadId).parts.set(Number(number), { etag, bytes: body });
      this.sentParts.push(Number(number));
      return etag;
    } finally {
      this.inFlight -= 1;
    }
  };

  /** Stores a batch once by its key, as the server does. */
  readonly sendBatch: SendBatch = async ({ folder, files }, key, { signal, onProgress }) => {
    await this.gate;
    await new Promise((resolve) => setTimeout(resolve, 1));
    signal.throwIfAborted();
    this.#checkReachable();
    const paths = files.map(({ name }) => `${folder === '/' ? '' : folder}/${name}`);
    this.batches.push({ key, paths });
    const { error, lost = false } = this.batchErrors.shift() ?? {};
    if (error && !lost) throw error;
    onProgress(files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
    if (!this.#results.has(key))
      this.#results.set(
        key,
        paths.map((path, index) => this.#store(path, files[index]?.bytes)),
      );
    if (error) throw error;
    return this.#results.get(key) ?? [];
  };

  #store(path: string, bytes: ArrayBuffer | undefined): BatchResult {
    const name = path.split('/').at(-1) ?? '';
    const problem = this.refused.get(name);
    if (problem) return { problem };
    const file = {
      id: `f-${this.stored.length}`,
      kind: 'file',
      name,
      path,
      size: bytes?.byteLength,
    } as FileItem;
    this.stored.push(file);
    return { file };
  }

  #plan(uploadId: string) {
    const count = Math.ceil(this.#find(uploadId).request.size / this.partSize);
    return {
      uploadId,
      fileId: `f-${uploadId}`,
      partSize: this.partSize,
      uploadUrls: Array.from({ length: count }, (_, index) => `${uploadId}/${index + 1}/${this.generation}`),
      expiresAt: '2026-01-02T00:00:00Z',
    };
  }

  #find(uploadId: string): StoredUpload {
    const upload = this.uploads.get(uploadId);
    if (!upload) throw new ApiProblem(404, 'upload-not-found', 'There is no such upload.');
    return upload;
  }

  #checkReachable(): void {
    if (this.down) throw new UnreachableError();
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
