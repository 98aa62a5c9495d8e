/** How much goes into one batch: what takes about two seconds, so that files appear soon and a retry repeats little. */

const TARGET_MS = 2_000;
const LEAST = 256 * 1024;
const MOST = 8 * 1024 * 1024;

/** The server takes no more files in one request. */
export const FILES_IN_BATCH = 200;

/** The size of the next batch, by the time that the last one took. */
export class BatchSize {
  #bytes = 1024 * 1024;

  /** The limit in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes into account that `bytes` took `ms`. A batch smaller than the limit cannot raise it much. */
  note(bytes: number, ms: number): void {
    const fitting = (bytes / Math.max(ms, 1)) * TARGET_MS;
    this.#bytes = Math.round(Math.min(MOST, Math.max(LEAST, fitting)));
  }
}
