/** Which parts of one upload are stored, and how many bytes of the others are on the way. */
import type { SentPart, UploadPlan, UploadState } from '@/api/types';

/** The account of an upload's parts. */
export class PartLedger {
  readonly #etags = new Map<number, string>();
  readonly #onTheWay = new Map<number, number>();
  #plan: UploadPlan;

  constructor(
    plan: UploadPlan | UploadState,
    readonly size: number,
  ) {
    this.#plan = plan;
    this.renew(plan);
  }

  /** Takes fresh URLs and, when the plan tells them, the parts that the server really has. */
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

  /** All stored parts, in order, as `complete` wants them. */
  get parts(): SentPart[] {
    return [...this.#etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
  }

  /** Bytes stored and on the way. */
  get sent(): number {
    let total = 0;
    for (const number of this.#etags.keys()) total += this.#length(number);
    for (const bytes of this.#onTheWay.values()) total += bytes;
    return Math.min(total, this.size);
  }

  /** Where part `number` goes, for now. */
  url(number: number): string {
    return this.#plan.uploadUrls[number - 1] ?? '';
  }

  /** The bytes of part `number`: from, to (exclusive). */
  range(number: number): [from: number, to: number] {
    const from = (number - 1) * this.#plan.partSize;
    return [from, from + this.#length(number)];
  }

  /** Notes bytes of a part on the way. */
  moving(number: number, bytes: number): void {
    this.#onTheWay.set(number, Math.min(bytes, this.#length(number)));
  }

  /** A part did not arrive. */
  dropped(number: number): void {
    this.#onTheWay.delete(number);
  }

  /** A part is stored. */
  stored(number: number, etag: string): void {
    this.#onTheWay.delete(number);
    this.#etags.set(number, etag);
  }

  #length(number: number): number {
    const from = (number - 1) * this.#plan.partSize;
    return Math.max(0, Math.min(this.#plan.partSize, this.size - from));
  }
}
