/** One batch of small files: its rows, and how far it is. */
import { randomKey } from '@/lib/ids';
import { type BatchFile, type BatchRequest, commonFolder, pathBelow } from './batch-body';
import type { Move } from './store';
import type { UploadItem } from './types';

/** A row and its file. */
export interface BatchRow {
  item: UploadItem;
  file: File;
}

/** A batch, from its first attempt until there is a response. */
export class Batch {
  /** The idempotency key of all attempts. */
  readonly key = randomKey();
  /** The rows that were cancelled; their files are still part of the request. */
  readonly cancelled = new Set<string>();
  controller = new AbortController();
  /** The request, the same for all attempts. */
  request: BatchRequest | null = null;
  /** Whether the server may have stored the files, since all bytes were sent once. */
  mayBeStored = false;
  /** When progress was last shown, in ms. */
  shownAt = 0;
  /** Bytes sent by the current attempt. */
  sent = 0;
  #shown = 0;

  constructor(public rows: BatchRow[]) {}

  /** The ids of the rows. */
  get ids(): string[] {
    return this.rows.map(({ item }) => item.id);
  }

  /** Bytes of all files. */
  get size(): number {
    return this.rows.reduce((sum, { file }) => sum + file.size, 0);
  }

  /** Reads the files and makes the request. Leaves out those that cannot be read any more, and returns their ids. */
  async read(): Promise<string[]> {
    const folder = commonFolder(this.rows.map(({ item }) => item.path));
    const files = await Promise.all(this.rows.map((row) => readFile(row, folder)));
    const lost = this.rows.filter((_, index) => !files[index]).map(({ item }) => item.id);
    this.rows = this.rows.filter((_, index) => files[index]);
    this.request = { folder, files: files.filter((file) => file !== null) };
    return lost;
  }

  /** Starts counting anew, for another attempt. */
  restart(): void {
    this.sent = this.shownAt = this.#shown = 0;
  }

  /**
   * Returns how the rows move when `sent` bytes are sent: the files are sent one after another. `speed` is shown at the
   * one that is being sent.
   */
  progress(sent: number, speed: number): Move[] {
    const moves: Move[] = [];
    let start = 0;
    for (const [index, { item, file }] of this.rows.entries()) {
      if (start > sent) break;
      const end = start + file.size;
      if (index >= this.#shown) {
        const isLast = sent < end || index === this.rows.length - 1;
        const change = { sent: Math.min(file.size, sent - start), speed: isLast ? speed : 0 };
        moves.push({ id: item.id, event: 'progress', change });
      }
      if (sent >= end) this.#shown = index + 1;
      start = end;
    }
    return moves;
  }
}

async function readFile({ item, file }: BatchRow, folder: string): Promise<BatchFile | null> {
  const bytes = await file.arrayBuffer().catch(() => null);
  if (bytes?.byteLength !== file.size) return null;
  const mimeType = file.type || 'application/octet-stream';
  return { name: pathBelow(folder, item.path, item.name), mimeType, bytes };
}
