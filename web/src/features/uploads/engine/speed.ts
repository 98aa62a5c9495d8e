/** Speed over the last seconds, so that it is steady but follows a change. */
const WINDOW_MS = 6_000;

/** Measures bytes a second from a growing total. */
export class Speedometer {
  #samples: { at: number; total: number }[] = [];

  /** Notes the total sent at a moment (ms). A smaller total than before (a part is sent again) starts anew. */
  note(total: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && total < last.total) this.#samples = [];
    this.#samples.push({ at, total });
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Bytes a second; 0 until there is something to measure. */
  get speed(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return ((last.total - first.total) / (last.at - first.at)) * 1000;
  }

  /** Forgets everything, as after a pause. */
  reset(): void {
    this.#samples = [];
  }
}

/** Seconds until the rest is sent, or `null` when nobody can tell. */
export function secondsLeft(remaining: number, speed: number): number | null {
  return speed > 1 ? remaining / speed : null;
}
