type Listener = (event: string, data: unknown) => void;
type Track = { id: number; name: string; lang?: string };

/** Replaces hls.js. `emit` emits an event; all instances are kept in `created`, the latest last. */
export class FakeHls {
  static created: FakeHls[] = [];
  static isSupported = () => true;

  static get latest(): FakeHls {
    const latest = FakeHls.created.at(-1);
    if (!latest) throw new Error('No instance of hls.js was created');
    return latest;
  }

  levels: { width: number; height: number }[] = [];
  audioTracks: Track[] = [];
  currentLevel = -1;
  loadLevel = -1;
  audioTrack = -1;
  bandwidthEstimate = 5_000_000;
  url: string | null = null;
  destroyed = false;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(readonly config: { startPosition: number }) {
    FakeHls.created.push(this);
  }

  get allAudioTracks(): Track[] {
    return this.audioTracks;
  }

  on(event: string, listener: Listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  emit(event: string, data: unknown = {}) {
    for (const listener of this.#listeners.get(event) ?? []) listener(event, data);
  }

  loadSource(url: string) {
    this.url = url;
  }

  destroy() {
    this.destroyed = true;
  }

  attachMedia() {}
  stopLoad() {}
  recoverMediaError() {}
}
