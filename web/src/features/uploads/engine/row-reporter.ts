/** Writes a transfer's events to its row; progress is throttled. */
import { Speedometer } from './speed';
import type { UploadEvent } from './status';
import type { UploadStore } from './store';

const EVERY_MS = 200;

/** Reports one transfer to its row. */
export class RowReporter {
  readonly #meter = new Speedometer();
  #shownAt = 0;
  #ended = false;

  constructor(
    private readonly store: UploadStore,
    private readonly id: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Reports an event with the bytes sent so far. */
  report(event: UploadEvent, sent: number): void {
    if (this.#ended) return;
    const at = this.now();
    if (event === 'unreachable') {
      this.#meter.reset();
      this.store.move(this.id, event, sent ? { sent, speed: 0 } : { speed: 0 });
      return;
    }
    this.#meter.note(sent, at);
    const changes = this.store.get(this.id)?.status !== 'uploading';
    if (event === 'progress' && !changes && at - this.#shownAt < EVERY_MS) return;
    this.#shownAt = at;
    this.store.move(this.id, event, { sent, speed: this.#meter.speed });
  }

  /** Stops reporting. */
  end(): void {
    this.#ended = true;
  }
}
