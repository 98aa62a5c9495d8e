/** Tracks the stored parts of an upload, and the bytes in flight. */
import type { SentPart, UploadPlan, UploadState } from '@/api/types';

/** The state of an upload's parts. */
export class PartLedger {
  readonly #etags = new Map<number, string>();
  readonly #inFlight = new Map<number, number>();
  #plan: UploadPlan;

  constructor(
    plan: UploadPlan | UploadState,
    readonly size: number,
  ) {
    this.#plan = plan;
    this.renew(plan);
  }

  /** Applies fresh URLs and, if the plan lists them, the parts that the server has. */
  renew(plan: UploadPlan | UploadState): void {
    this.#plan = plan;
    if (!('parts' in plan)) return;
    this.#etags.clear();
    for (const part of plan.parts) {
      if (part.size === this.#length(part.partNumber)) this.#etags.set(part.partNumber, part.etag);
    }
  }

  /** The server's ids. */
  get ids(): { fileId: string; uploadId: string } {
    return { fileId: this.#plan.fileId, uploadId: this.#plan.uploadId };
  }

  /** Part numbers that are not stored yet, in order. */
  get missing(): number[] {
    return this.#plan.uploadUrls.map((_, index) => index + 1).filter((number) => !this.#etags.has(number));
  }

  /** All stored parts in order, as `complete` needs them. */
  get parts(): SentPart[] {
    return [...this.#etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
  }

  /** Bytes stored and in flight. */
  get sent(): number {
    let total = 0;
    for (const number of this.#etags.keys()) total += this.#length(number);
    for (const bytes of this.#inFlight.values()) total += bytes;
    return Math.min(total, this.size);
  }

  /** The current URL of part `number`. */
  url(number: number): string {
    return this.#plan.uploadUrls[number - 1] ?? '';
  }

  /** The byte range of part `number`, end exclusive. */
  range(number: number): [from: number, to: number] {
    const from = (number - 1) * this.#plan.partSize;
    return [from, from + this.#length(number)];
  }

  /** Sets the bytes in flight of a part. */
  moving(number: number, bytes: number): void {
    this.#inFlight.set(number, Math.min(bytes, this.#length(number)));
  }

  /** Marks a part as not sent. */
  dropped(number: number): void {
    this.#inFlight.delete(number);
  }

  /** Marks a part as stored. */
  stored(number: number, etag: string): void {
    this.#inFlight.delete(number);
    this.#etags.set(number, etag);
  }

  #length(number: number): number {
    const from = (number - 1) * this.#plan.partSize;
    return Math.max(0, Math.min(this.#plan.partSize, this.size - from));
  }
}
