/** Upload speed over the last seconds. */
const WINDOW_MS = 6_000;

/** Measures bytes per second from a growing total. */
export class Speedometer {
  #samples: { at: number; total: number }[] = [];

  /** Adds a sample at a time (ms). A smaller total than before (a part is resent) resets the measurement. */
  note(total: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && total < last.total) this.#samples = [];
    this.#samples.push({ at, total });
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Bytes per second; 0 until there are enough samples. */
  get speed(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return ((last.total - first.total) / (last.at - first.at)) * 1000;
  }

  /** Resets the measurement, as after a pause. */
  reset(): void {
    this.#samples = [];
  }
}

/** Returns the seconds left, or `null` when unknown. */
export function secondsLeft(remaining: number, speed: number): number | null {
  return speed > 1 ? remaining / speed : null;
}
