/**
 * Uploads small files by batches, one request each: a couple at a time, before the parts of large files.
 *
 * The files of a batch share its idempotency key, and its fate until there is a response: they are retried, paused and
 * resumed together, so that a lost response stores nothing twice. A file that is cancelled meanwhile goes to the trash
 * if it was stored. If a batch is refused as a whole, each of its files is uploaded alone.
 */
import { ApiProblem, isProblem, isTemporary } from '@/api/problem';
import type { FileItem } from '@/api/types';
import { Batch, type BatchRow } from './batch';
import { BatchSize } from './batch-size';
import type { PartSlots } from './part-slots';
import { withRetries } from './retries';
import type { BatchResult, SendBatch } from './send-batch';
import { Speedometer } from './speed';
import type { UploadEvent } from './status';
import type { Move, UploadStore } from './store';
import { UploadFault, type UploadItem } from './types';

const BATCHES_AT_ONCE = 2;
/** Before all parts: rows are numbered from 1. */
const PRIORITY = 0;
const PROGRESS_MS = 200;
/** Statuses by which the server refuses the caller, not the batch. */
const ABOUT_THE_CALLER = [401, 403];

/** Why the upload of a row failed. */
export interface Failure {
  id: string;
  error: unknown;
}

/** What batches need. */
export interface BatchDependencies {
  store: UploadStore;
  sendBatch: SendBatch;
  slots: PartSlots;
  /** Moves a stored file to the trash, since its upload was cancelled. */
  discard: (fileId: string) => Promise<void>;
  /** Called with the rows of stored files. */
  onStored: (ids: string[], files: FileItem[]) => void;
  /** Called with rows that are queued again, each to be uploaded alone. */
  onAlone: (ids: string[]) => void;
  /** Called with rows whose upload failed. */
  onFail: (failures: Failure[]) => void;
  /** Called when another batch can start. */
  onEnd: () => void;
}

/** Runs batches. */
export class Batches {
  /** How much to put into the next batch. */
  readonly limit = new BatchSize();
  readonly #batchOf = new Map<string, Batch>();
  readonly #running = new Set<Batch>();
  readonly #meter = new Speedometer();
  readonly #resumed = new Set<Batch>();
  #settled = 0;

  constructor(private readonly tools: BatchDependencies) {}

  /** Whether another batch can start. */
  get free(): boolean {
    return this.#running.size < BATCHES_AT_ONCE;
  }

  /** Starts the next batch that was resumed; `false` if there is none. */
  startResumed(): boolean {
    const [batch] = this.#resumed;
    if (!batch) return false;
    this.#resumed.delete(batch);
    void this.#run(batch);
    return true;
  }

  /** Starts a batch of queued rows. */
  start(rows: BatchRow[]): void {
    const batch = new Batch(rows);
    for (const id of batch.ids) this.#batchOf.set(id, batch);
    void this.#run(batch);
  }

  /** Pauses the batch of a row unless it is completely sent; `false` if the row is in none. */
  pause(id: string): boolean {
    const batch = this.#batchOf.get(id);
    if (batch && this.#move(batch, 'pause', { speed: 0 }).length) {
      this.#resumed.delete(batch);
      batch.controller.abort();
    }
    return batch !== undefined;
  }

  /** Resumes the batch of a row; `false` if the row is in none. */
  resume(id: string): boolean {
    const batch = this.#batchOf.get(id);
    if (batch && this.#move(batch, 'resume', { fault: null }).length) this.#resumed.add(batch);
    return batch !== undefined;
  }

  /** Pauses all batches that are not completely sent. */
  pauseAll(): void {
    for (const { rows } of new Set(this.#batchOf.values())) if (rows[0]) this.pause(rows[0].item.id);
  }

  /** Resumes all paused batches. */
  resumeAll(): void {
    for (const { rows } of new Set(this.#batchOf.values())) if (rows[0]) this.resume(rows[0].item.id);
  }

  /** Cancels a row that is in a batch, after it was removed from the store. */
  cancel(id: string): void {
    const batch = this.#batchOf.get(id);
    if (!batch) return;
    batch.cancelled.add(id);
    if (batch.cancelled.size < batch.rows.length) return;
    if (!batch.mayBeStored) this.#drop(batch);
    else if (batch.controller.signal.aborted) this.#resumed.add(batch);
  }

  /** Ends all batches, whatever becomes of their files. */
  leave(): void {
    for (const batch of new Set(this.#batchOf.values())) this.#drop(batch);
  }

  async #run(batch: Batch): Promise<void> {
    const controller = new AbortController();
    batch.controller = controller;
    this.#running.add(batch);
    this.#move(batch, 'start', { fault: null, speed: 0 });
    try {
      if (!batch.request) this.#fail(await batch.read(), new UploadFault('file-changed'));
      controller.signal.throwIfAborted();
      if (batch.rows.length) this.#settle(batch, await this.#send(batch, controller.signal));
      this.#forget(batch);
    } catch (error) {
      if (!controller.signal.aborted) this.#refuse(batch, error);
    } finally {
      if (batch.controller === controller) this.#running.delete(batch);
      this.tools.onEnd();
    }
  }

  #send(batch: Batch, signal: AbortSignal): Promise<BatchResult[]> {
    const request = batch.request ?? { folder: '/', files: [] };
    const attempt = async () => {
      const release = await this.tools.slots.take(PRIORITY, signal);
      const began = performance.now();
      batch.restart();
      try {
        const onProgress = (sent: number) => this.#progress(batch, sent);
        const results = await this.tools.sendBatch(request, batch.key, { signal, onProgress });
        this.limit.note(batch.size, performance.now() - began);
        return results;
      } finally {
        release();
      }
    };
    return withRetries(attempt, signal, () => {
      this.#meter.reset();
      this.#move(batch, 'unreachable', { speed: 0 });
    });
  }

  #progress(batch: Batch, sent: number): void {
    const now = performance.now();
    batch.sent = Math.min(sent, batch.size);
    if (sent >= batch.size) batch.mayBeStored = true;
    const total = [...this.#running].reduce((sum, one) => sum + one.sent, this.#settled);
    this.#meter.note(total, now);
    if (now - batch.shownAt < PROGRESS_MS && !batch.mayBeStored) return;
    batch.shownAt = now;
    this.tools.store.moveAll(batch.progress(batch.sent, this.#meter.speed / this.#running.size));
    if (sent >= batch.size) this.#move(batch, 'all-sent');
  }

  #settle(batch: Batch, results: BatchResult[]): void {
    this.#settled += batch.size;
    batch.sent = 0;
    this.#move(batch, 'all-sent');
    const moves: Move[] = [];
    const stored: FileItem[] = [];
    const alone: string[] = [];
    const failed: Failure[] = [];
    for (const [index, { item }] of batch.rows.entries()) {
      const result = results[index] ?? { problem: new ApiProblem(500, 'internal-error', '') };
      if ('file' in result) {
        stored.push(result.file);
        if (batch.cancelled.has(item.id)) void this.tools.discard(result.file.id).catch(() => undefined);
        moves.push({ id: item.id, event: 'stored', change: storedAs(item, result.file) });
      } else if (isTemporary(result.problem)) {
        alone.push(item.id);
      } else {
        failed.push({ id: item.id, error: result.problem });
      }
    }
    this.#forget(batch);
    this.tools.onStored(this.tools.store.moveAll(moves), stored);
    if (failed.length) this.tools.onFail(failed);
    this.#sendAlone(alone);
  }

  /** Ends a batch of which nothing was stored. */
  #refuse(batch: Batch, error: unknown): void {
    this.#forget(batch);
    const each =
      error instanceof ApiProblem && !isProblem(error, 'idempotency-answer-lost', ...ABOUT_THE_CALLER);
    if (each) this.#sendAlone(batch.ids);
    else this.#fail(batch.ids, error);
  }

  #sendAlone(ids: string[]): void {
    const queued = this.tools.store.moveAll(
      ids.map((id) => ({ id, event: 'requeue', change: { sent: 0, speed: 0 } })),
    );
    if (queued.length) this.tools.onAlone(queued);
  }

  #fail(ids: string[], error: unknown): void {
    for (const id of ids) this.#batchOf.delete(id);
    if (ids.length) this.tools.onFail(ids.map((id) => ({ id, error })));
  }

  #move(batch: Batch, event: UploadEvent, change: Partial<UploadItem> = {}): string[] {
    return this.tools.store.moveAll(batch.ids.map((id) => ({ id, event, change })));
  }

  #drop(batch: Batch): void {
    this.#forget(batch);
    this.#resumed.delete(batch);
    batch.controller.abort();
  }

  #forget(batch: Batch): void {
    for (const id of batch.ids) this.#batchOf.delete(id);
  }
}

function storedAs(item: UploadItem, file: FileItem): Partial<UploadItem> {
  return { sent: item.size, speed: 0, storedName: file.name, fileId: file.id };
}
