/**
 * The upload of one file: initiation, parts, completion. It retries temporary failures, so that an upload
 * survives a restart of the server.
 *
 * Why not a library: Uppy's S3 plugin (6.x) sends a file's parts one after another and speaks S3's XML protocol
 * through a signer. It no longer has hooks to create, list and complete an upload on a custom server, its retries end
 * after a fixed number, and it resumes only from its own record of an upload. We need three parts at once, our own
 * endpoints, unlimited retries, and resuming what another browser started.
 */
import { ApiProblem, isProblem, isTemporary, UnreachableError } from '@/api/problem';
import type { FileItem, UploadRequest } from '@/api/types';
import { backOffDelay, delay } from './back-off';
import { isGone } from './faults';
import { PartLedger } from './part-ledger';
import type { PartSlots } from './part-slots';
import { withRetries } from './retries';
import type { SendPart } from './send-part';
import type { UploadServer } from './server';
import type { UploadEvent } from './status';
import { UploadFault } from './types';

const WORKERS = 3;
const COMPLETE_ATTEMPTS = 3;

/** The dependencies of a transfer. */
export interface TransferDependencies {
  server: UploadServer;
  sendPart: SendPart;
  slots: PartSlots;
}

/** A file to transfer, and the callbacks. */
export interface TransferJob {
  file: File;
  request: UploadRequest;
  /** The idempotency key of the initiation, so that a lost response does not reserve twice. */
  key: string;
  /** The upload to resume, if any. */
  uploadId: string | null;
  priority: number;
  /** Called with the server's ids, before the first part is sent. */
  onPlanned: (ids: { fileId: string; uploadId: string }) => void;
  onEvent: (event: UploadEvent, sent: number) => void;
}

/** Runs one job; create a new transfer to resume after a pause. */
export class Transfer {
  #renewal: Promise<void> | null = null;

  constructor(
    private readonly tools: TransferDependencies,
    private readonly job: TransferJob,
  ) {}

  /** Sends the file. Rejects with the signal's reason when paused, else with the error. */
  async run(signal: AbortSignal): Promise<FileItem> {
    const ledger = await this.#plan(signal);
    this.job.onPlanned(ledger.ids);
    this.job.onEvent('progress', ledger.sent);
    for (let attempt = 1; ; attempt += 1) {
      await this.#sendMissing(ledger, signal);
      this.job.onEvent('all-sent', ledger.sent);
      try {
        return await this.#complete(ledger, signal);
      } catch (error) {
        const retriable = error instanceof ApiProblem && error.status === 400 && attempt < COMPLETE_ATTEMPTS;
        if (!retriable) throw error;
        await this.#renew(ledger, signal);
      }
    }
  }

  async #plan(signal: AbortSignal): Promise<PartLedger> {
    const { server } = this.tools;
    const { uploadId, request, key } = this.job;
    const size = request.size;
    if (uploadId) {
      try {
        return new PartLedger(await this.#withRetries(() => server.state(uploadId), signal), size);
      } catch (error) {
        if (isProblem(error, 'upload-completed')) throw new UploadFault('finished');
        if (!isGone(error)) throw error;
      }
    }
    return new PartLedger(await this.#withRetries(() => server.initiate(request, key), signal), size);
  }

  async #sendMissing(ledger: PartLedger, signal: AbortSignal): Promise<void> {
    const pending = ledger.missing;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const work = async () => {
      for (let number = pending.shift(); number !== undefined; number = pending.shift()) {
        await this.#sendUntilStored(ledger, number, either);
      }
    };
    const workers = Array.from({ length: Math.min(WORKERS, pending.length) }, work);
    try {
      await Promise.all(workers);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(workers);
      throw error;
    }
  }

  async #sendUntilStored(ledger: PartLedger, number: number, signal: AbortSignal): Promise<void> {
    let refused = false;
    for (let attempt = 0; ; attempt += 1) {
      const url = ledger.url(number);
      try {
        await this.#sendOnce(ledger, number, signal);
        return;
      } catch (error) {
        ledger.dropped(number);
        signal.throwIfAborted();
        if (error instanceof ApiProblem && error.status === 403) {
          if (refused) throw error;
          refused = true;
          if (ledger.url(number) === url) await this.#renew(ledger, signal);
        } else if (isTemporary(error)) {
          await this.#checkReadable(error);
          this.job.onEvent('unreachable', ledger.sent);
          await delay(backOffDelay(attempt), signal);
        } else {
          throw isGone(error) ? new UploadFault('gone') : error;
        }
      }
    }
  }

  async #sendOnce(ledger: PartLedger, number: number, signal: AbortSignal): Promise<void> {
    const release = await this.tools.slots.take(this.job.priority, signal);
    try {
      const [from, to] = ledger.range(number);
      const etag = await this.tools.sendPart(ledger.url(number), this.job.file.slice(from, to), {
        signal,
        onProgress: (bytes) => {
          ledger.moving(number, bytes);
          this.job.onEvent('progress', ledger.sent);
        },
      });
      ledger.stored(number, etag);
      this.job.onEvent('progress', ledger.sent);
    } finally {
      release();
    }
  }

  /** A file changed or removed on disk looks like a network failure, so it is read to find out. */
  async #checkReadable(error: unknown): Promise<void> {
    if (!(error instanceof UnreachableError)) return;
    try {
      await this.job.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new UploadFault('file-changed');
    }
  }

  /** Fetches fresh URLs and the server's list of parts, once for all parts that need them. */
  #renew(ledger: PartLedger, signal: AbortSignal): Promise<void> {
    this.#renewal ??= this.#withRetries(() => this.tools.server.state(ledger.ids.uploadId), signal)
      .then((state) => ledger.renew(state))
      .catch((error) => {
        throw isGone(error) ? new UploadFault('gone') : error;
      })
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  #complete(ledger: PartLedger, signal: AbortSignal): Promise<FileItem> {
    const { fileId, uploadId } = ledger.ids;
    return this.#withRetries(
      () => this.tools.server.complete(fileId, uploadId, ledger.parts),
      signal,
      ledger.sent,
    );
  }

  #withRetries<T>(call: () => Promise<T>, signal: AbortSignal, sent = 0): Promise<T> {
    return withRetries(call, signal, () => this.job.onEvent('unreachable', sent));
  }
}
