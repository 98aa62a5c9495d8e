type Listener = (...payload: unknown[]) => void;

/** Stands in for a Socket.IO connection: `push` is what the server emits. */
export class FakeSocket {
  static latest: FakeSocket | null = null;
  active = true;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #any: Listener[] = [];

  constructor() {
    FakeSocket.latest = this;
  }

  on(event: string, listener: Listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  onAny(listener: Listener) {
    this.#any.push(listener);
  }

  connect() {}
  close() {}

  /** The connection itself says something: `connect`, `disconnect` … */
  happen(event: string, ...payload: unknown[]) {
    for (const listener of this.#listeners.get(event) ?? []) listener(...payload);
  }

  /** The server emits an event. */
  push(event: string, payload: unknown) {
    for (const listener of this.#any) listener(event, payload);
  }
}
