/** The uploads that wait for their turn: small files for a batch, the others one by one. */
import type { BatchRow } from './batch';
import { fitsInBatch } from './batch-body';
import { FILES_IN_BATCH } from './batch-size';
import type { UploadItem } from './types';

/** The queue of the page. Within each kind, the uploads are in the order of their ids. */
export class UploadQueue {
  readonly #small = new Line();
  readonly #large = new Line();
  readonly #alone = new Set<string>();

  /** Files smaller than `batchBelow` bytes go into batches. */
  constructor(private readonly batchBelow: number) {}

  /** Adds an upload, once. */
  add(item: UploadItem): void {
    (this.#goesInBatch(item) ? this.#small : this.#large).add(item.id);
  }

  /** From now on, these files are not put into batches. */
  setAlone(ids: Iterable<string>): void {
    for (const id of ids) this.#alone.add(id);
  }

  /** Removes uploads that wait no longer. */
  remove(ids: string[]): void {
    const gone = new Set(ids);
    this.#small.remove(gone);
    this.#large.remove(gone);
    for (const id of ids) this.#alone.delete(id);
  }

  /** Takes the next upload that is not for a batch and that `accepts`. */
  take(accepts: (id: string) => boolean): string | undefined {
    return this.#large.take(accepts);
  }

  /** Takes small files of at most `bytes` in all, but at least one if there is any. `rowOf` returns their row. */
  takeBatch(bytes: number, rowOf: (id: string) => BatchRow | null): BatchRow[] {
    const rows: BatchRow[] = [];
    let room = bytes;
    while (rows.length < FILES_IN_BATCH && this.#small.first !== undefined) {
      const row = rowOf(this.#small.first);
      room -= row?.file.size ?? 0;
      if (room < 0 && rows.length) break;
      this.#small.take();
      if (row) rows.push(row);
    }
    return rows;
  }

  #goesInBatch({ id, size, uploadId, path, name }: UploadItem): boolean {
    return size < this.batchBelow && !uploadId && !this.#alone.has(id) && fitsInBatch(path, name);
  }
}

/** Ids in order. Nearly all are added at the end and taken from the front, which costs next to nothing. */
class Line {
  #ids: string[] = [];

  get first(): string | undefined {
    return this.#ids[0];
  }

  add(id: string): void {
    let place = this.#ids.length;
    while (place > 0 && Number(this.#ids[place - 1]) >= Number(id)) place -= 1;
    if (this.#ids[place] !== id) this.#ids.splice(place, 0, id);
  }

  take(accepts: (id: string) => boolean = () => true): string | undefined {
    const place = this.#ids.findIndex(accepts);
    return place < 0 ? undefined : this.#ids.splice(place, 1)[0];
  }

  remove(gone: Set<string>): void {
    this.#ids = this.#ids.filter((id) => !gone.has(id));
  }
}
