type Listener = (...payload: unknown[]) => void;

/** Replaces a Socket.IO connection. */
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

  /** Emits an event of the connection itself, such as `connect` or `disconnect`. */
  emit(event: string, ...payload: unknown[]) {
    for (const listener of this.#listeners.get(event) ?? []) listener(...payload);
  }

  /** Emits an event from the server. */
  push(event: string, payload: unknown) {
    for (const listener of this.#any) listener(event, payload);
  }
}
