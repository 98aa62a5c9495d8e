/**
 * The slots for parts in flight: three for the whole page, since a browser opens at most six connections to a server and
 * the app needs some. The earliest upload's parts go first, so that files finish one by one.
 */
interface Waiter {
  priority: number;
  admit: () => void;
}

/** A semaphore with priorities. */
export class PartSlots {
  #free: number;
  #waiters: Waiter[] = [];

  constructor(places = 3) {
    this.#free = places;
  }

  /** Waits for a slot; the lowest `priority` is next. Resolves to a function that releases it. */
  async take(priority: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#queue(priority, signal);
    let held = true;
    return () => {
      if (held) this.#release();
      held = false;
    };
  }

  #queue(priority: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        priority,
        admit: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      const place = this.#waiters.findIndex((other) => other.priority > priority);
      this.#waiters.splice(place < 0 ? this.#waiters.length : place, 0, waiter);
    });
  }

  #release(): void {
    const next = this.#waiters.shift();
    if (next) next.admit();
    else this.#free += 1;
  }
}
