/**
 * Manages all uploads of the page: the queue, the user's commands, and what survives a reload. It updates the rows in
 * the store; a `Transfer` uploads one file, and `Batches` upload many small ones together.
 */
import type { FileItem, UnfinishedUpload } from '@/api/types';
import type { ChosenFile } from '@/lib/chosen-files';
import { randomKey } from '@/lib/ids';
import { joinPath } from '@/lib/names';
import type { BatchRow } from './batch';
import { Batches, type Failure } from './batches';
import type { UploadClaims } from './claims';
import { faultOf } from './faults';
import { FileSources } from './file-sources';
import { interruptedItem, sameFile, UnfinishedIndex } from './matching';
import type { UploadMemory } from './memory';
import { UploadQueue } from './queue';
import { RowReporter } from './row-reporter';
import type { SendBatch } from './send-batch';
import type { UploadEvent } from './status';
import type { Move, UploadStore } from './store';
import { Transfer, type TransferDependencies } from './transfer';
import { UploadFault, type UploadItem } from './types';

const FILES_AT_ONCE = 3;
/** How long a new upload waits to find out whether it can resume an earlier one. */
const LOOKUP_MS = 3_000;

/** A running transfer: its abort controller, its end, and its claim against other tabs. */
interface Run {
  controller: AbortController;
  ended: Promise<void>;
  claim: Promise<unknown>;
}

/** The dependencies of the manager, all of which tests replace. */
export interface ManagerDependencies extends TransferDependencies {
  store: UploadStore;
  memory: UploadMemory;
  claims: UploadClaims;
  sendBatch: SendBatch;
  /** Files smaller than this many bytes are uploaded in batches. */
  batchBelow: number;
  /** Called when a file was stored (the last one of a batch), or the listing of unfinished uploads has changed. */
  onChange: (stored: FileItem | null) => void;
}

/** Queues, runs, pauses, resumes, retries and cancels uploads. */
export class UploadManager {
  readonly #sources: FileSources;
  readonly #keys = new Map<string, string>();
  readonly #running = new Map<string, Run>();
  readonly #queue: UploadQueue;
  readonly #batches: Batches;
  #counter = 0;
  #owner: string | null = null;

  constructor(private readonly tools: ManagerDependencies) {
    this.#sources = new FileSources(tools.memory);
    this.#queue = new UploadQueue(tools.batchBelow);
    this.#batches = new Batches({
      ...tools,
      discard: (fileId) => tools.server.discard(fileId),
      onStored: (ids, files) => {
        for (const id of ids) this.#finish(id);
        const last = files.at(-1);
        if (last) tools.onChange(last);
      },
      onAlone: (ids) => {
        this.#queue.setAlone(ids);
        this.#enqueue(ids);
      },
      onFail: (failures) => this.#failAll(failures),
      onEnd: () => this.#pump(),
    });
  }

  /** Queues chosen files for a folder; a file with an unfinished upload resumes it. */
  async add(chosen: ChosenFile[], folder: string): Promise<void> {
    await Promise.race([this.loadInterrupted().catch(() => undefined), pause(LOOKUP_MS)]);
    const unfinished = new UnfinishedIndex(this.tools.store.all());
    const fresh: UploadItem[] = [];
    for (const one of chosen) {
      const path = joinPath(folder, one.path);
      const same = unfinished.find(markOf(one.file), path);
      if (same) {
        this.#resumeWithFile(same, one);
      } else {
        const item = this.#newItem(one, path);
        fresh.push(item);
        unfinished.add(item);
      }
    }
    this.tools.store.add(fresh);
    this.#enqueue(fresh.map(({ id }) => id));
    this.#pump();
  }

  /** Shows the server's unfinished uploads that no tab is working on. */
  async loadInterrupted(): Promise<void> {
    const [unfinished, remembered, held] = await Promise.all([
      this.tools.server.unfinished(),
      this.tools.memory.recall(),
      this.tools.claims.held(),
    ]);
    const shown = new Set(this.tools.store.all().map((item) => item.uploadId));
    const found = unfinished.filter(({ uploadId }) => !shown.has(uploadId) && !held.has(uploadId));
    this.tools.store.add(found.map((one) => interruptedItem(this.#id(), one, remembered.get(one.uploadId))));
    this.#updateReceived(unfinished);
    const known = new Set(unfinished.map(({ uploadId }) => uploadId));
    this.#dropEnded(known);
    for (const uploadId of remembered.keys())
      if (!known.has(uploadId)) void this.tools.memory.forget(uploadId);
  }

  /** Pauses an upload, with the others of its batch if that is being sent; what has arrived stays. */
  pause(id: string): void {
    if (!this.#batches.pause(id)) this.#pause([id]);
  }

  /**
   * Resumes after a pause, an interruption or an error. `false` when the file must be chosen again first: call
   * `resumeWith` then. Call it from a click, since the browser may ask for permission.
   */
  async resume(id: string): Promise<boolean> {
    const item = this.tools.store.get(id);
    if (!item) return true;
    try {
      if (!this.#batches.resume(id)) {
        if (!this.#sources.chosen(id) && !(await this.#sources.reopen(item))) return false;
        this.#resume([id]);
      }
    } catch (error) {
      this.#fail(id, error);
    }
    this.#pump();
    return true;
  }

  /** Resumes with the file that the user chose again; another file is a fault. */
  resumeWith(id: string, chosen: ChosenFile): void {
    const item = this.tools.store.get(id);
    if (!item) return;
    if (sameFile(item, markOf(chosen.file))) this.#resumeWithFile(item, chosen);
    else this.#fail(id, new UploadFault('other-file'));
    this.#pump();
  }

  /** Cancels an upload, here and on the server. */
  async cancel(id: string): Promise<void> {
    const item = this.tools.store.get(id);
    this.#running.get(id)?.controller.abort();
    this.#forget(id, item?.uploadId ?? null);
    this.#batches.cancel(id);
    this.#pump();
    if (!item?.uploadId || item.status === 'done') return;
    await this.tools.server.abort(item.uploadId).catch(() => undefined);
    this.tools.onChange(null);
  }

  /** Pauses all running and waiting uploads. */
  pauseAll(): void {
    this.#batches.pauseAll();
    this.#pause(this.tools.store.getState().order);
  }

  /** Resumes all paused uploads. */
  resumeAll(): void {
    this.#batches.resumeAll();
    const paused = this.tools.store.all().filter(({ status }) => status === 'paused');
    this.#resume(paused.filter(({ id }) => this.#sources.chosen(id)).map(({ id }) => id));
    this.#pump();
    for (const { id } of paused) if (!this.#sources.chosen(id)) void this.resume(id);
  }

  /** Removes finished rows from the panel. */
  clearDone(): void {
    const done = this.tools.store.all().filter((item) => item.status === 'done');
    this.tools.store.remove(done.map(({ id }) => id));
  }

  /** Stops everything and empties the panel, as after signing out; the server keeps what it has. */
  leave(): void {
    const { order } = this.tools.store.getState();
    this.#queue.remove(order);
    this.#batches.leave();
    for (const { controller } of this.#running.values()) controller.abort();
    this.tools.store.remove(order);
  }

  /** Sets the owner of the uploads; another user's are stopped and removed. */
  belongTo(userId: string): void {
    if (this.#owner !== null && this.#owner !== userId) this.leave();
    this.#owner = userId;
  }

  /** Returns the row of an unfinished file, if there is one. */
  ofFile(fileId: string): UploadItem | undefined {
    return this.tools.store.all().find((item) => item.fileId === fileId);
  }

  #pump(): void {
    while (this.#batches.free && (this.#batches.startResumed() || this.#startBatch()));
    while (this.#running.size < FILES_AT_ONCE) {
      const id = this.#queue.take((waiting) => !this.#running.has(waiting));
      if (id === undefined) return;
      const item = this.tools.store.get(id);
      const chosen = this.#sources.chosen(id);
      if (item?.status === 'queued' && chosen) void this.#start(item, chosen);
    }
  }

  /** Starts a batch of the next small files; `false` if there are none. */
  #startBatch(): boolean {
    const rows = this.#queue.takeBatch(this.#batches.limit.bytes, (id): BatchRow | null => {
      const item = this.tools.store.get(id);
      const file = this.#sources.chosen(id)?.file;
      return item?.status === 'queued' && file ? { item, file } : null;
    });
    if (rows.length) this.#batches.start(rows);
    return rows.length > 0;
  }

  #enqueue(ids: string[]): void {
    for (const id of ids) {
      const item = this.tools.store.get(id);
      if (item) this.#queue.add(item);
    }
  }

  #pause(ids: string[]): void {
    const paused = this.tools.store.moveAll(ids.map((id) => ({ id, event: 'pause', change: { speed: 0 } })));
    this.#queue.remove(paused);
    for (const id of paused) this.#running.get(id)?.controller.abort();
  }

  #resume(ids: string[]): void {
    const moves = ids.map((id): Move => {
      const event = this.tools.store.get(id)?.status === 'error' ? 'retry' : 'resume';
      return { id, event, change: { fault: null } };
    });
    this.#enqueue(this.tools.store.moveAll(moves));
  }

  async #start(item: UploadItem, chosen: ChosenFile): Promise<void> {
    const { id } = item;
    const controller = new AbortController();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const run: Run = { controller, ended, claim: ended };
    this.#running.set(id, run);
    this.tools.store.move(id, 'start', { fault: null, speed: 0 });
    const reporter = new RowReporter(this.tools.store, id);
    try {
      const work = () => this.#transfer(item, chosen, reporter).run(controller.signal);
      const stored = item.uploadId ? await this.tools.claims.hold(item.uploadId, work) : await work();
      if (!stored) throw new UploadFault('elsewhere');
      reporter.end();
      this.tools.store.move(id, 'stored', {
        sent: item.size,
        speed: 0,
        storedName: stored.name,
        fileId: stored.id,
      });
      this.#finish(id);
      this.tools.onChange(stored);
    } catch (error) {
      reporter.end();
      if (!controller.signal.aborted) this.#fail(id, error);
    } finally {
      end();
      await run.claim;
      this.#running.delete(id);
      this.#pump();
    }
  }

  #transfer(item: UploadItem, chosen: ChosenFile, reporter: RowReporter): Transfer {
    const key = this.#keys.get(item.id) ?? randomKey();
    this.#keys.set(item.id, key);
    const { file, handle = null } = chosen;
    return new Transfer(this.tools, {
      file,
      key,
      uploadId: item.uploadId,
      priority: Number(item.id),
      request: {
        name: item.name,
        path: item.path,
        size: file.size,
        mimeType: file.type || 'application/octet-stream',
        visibility: 'PRIVATE',
      },
      onPlanned: (ids) => {
        this.tools.store.patch(item.id, ids);
        void this.tools.memory.remember({ ...markOf(file), uploadId: ids.uploadId, handle });
        if (ids.uploadId === item.uploadId) return;
        if (!this.tools.store.get(item.id)) void this.tools.server.abort(ids.uploadId).catch(() => undefined);
        this.tools.onChange(null);
        const run = this.#running.get(item.id);
        if (run) run.claim = this.tools.claims.hold(ids.uploadId, () => run.ended);
      },
      onEvent: (event: UploadEvent, sent: number) => reporter.report(event, sent),
    });
  }

  #resumeWithFile(item: UploadItem, chosen: ChosenFile): void {
    this.#sources.keep(item.id, chosen);
    if (!item.readable) this.tools.store.patch(item.id, { readable: true });
    this.#resume([item.id]);
  }

  #fail(id: string, error: unknown): void {
    this.#failAll([{ id, error }]);
  }

  #failAll(failures: Failure[]): void {
    const moves = failures.map(({ id, error: cause }): Move => {
      const { kind, error } = faultOf(cause);
      if (kind === 'file-changed') this.#sources.drop(id);
      if (kind === 'gone') this.#keys.delete(id);
      const restart = kind === 'gone' ? { uploadId: null, fileId: null, sent: 0 } : {};
      return { id, event: 'fail', change: { ...restart, fault: { kind, error }, speed: 0 } };
    });
    this.tools.store.moveAll(moves);
  }

  /** Shows how much of interrupted uploads has arrived, once the store responds again. */
  #updateReceived(unfinished: UnfinishedUpload[]): void {
    for (const { uploadId, receivedBytes } of unfinished) {
      const row = this.tools.store.all().find((item) => item.uploadId === uploadId);
      if (row?.status === 'interrupted' && row.storeUnavailable && receivedBytes !== null)
        this.tools.store.patch(row.id, { sent: receivedBytes, storeUnavailable: false });
    }
  }

  /** Removes interrupted rows whose upload ended elsewhere. */
  #dropEnded(known: Set<string>): void {
    const ended = this.tools.store
      .all()
      .filter((item) => item.status === 'interrupted' && item.uploadId && !known.has(item.uploadId));
    this.tools.store.remove(ended.map(({ id }) => id));
  }

  #finish(id: string): void {
    const uploadId = this.tools.store.get(id)?.uploadId;
    this.#dropSource(id);
    if (uploadId) void this.tools.memory.forget(uploadId);
  }

  #forget(id: string, uploadId: string | null): void {
    this.#dropSource(id);
    this.#queue.remove([id]);
    this.tools.store.remove([id]);
    if (uploadId) void this.tools.memory.forget(uploadId);
  }

  #dropSource(id: string): void {
    this.#sources.drop(id);
    this.#keys.delete(id);
  }

  #newItem(chosen: ChosenFile, path: string): UploadItem {
    const id = this.#id();
    this.#sources.keep(id, chosen);
    return {
      ...markOf(chosen.file),
      id,
      path,
      status: 'queued',
      fault: null,
      sent: 0,
      storeUnavailable: false,
      speed: 0,
      uploadId: null,
      fileId: null,
      storedName: null,
      readable: true,
    };
  }

  #id(): string {
    this.#counter += 1;
    return String(this.#counter);
  }
}

function markOf({ name, size, lastModified }: File) {
  return { name, size, lastModified };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
