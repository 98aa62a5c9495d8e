type Listener = (event: string, data: unknown) => void;
type Track = { id: number; name: string; lang?: string };

/** Stands in for hls.js: `happen` is what it says of itself; all that were made are kept, the latest last. */
export class FakeHls {
  static made: FakeHls[] = [];
  static isSupported = () => true;

  static get latest(): FakeHls {
    const latest = FakeHls.made.at(-1);
    if (!latest) throw new Error('No hls.js was made');
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
    FakeHls.made.push(this);
  }

  get allAudioTracks(): Track[] {
    return this.audioTracks;
  }

  on(event: string, listener: Listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  happen(event: string, data: unknown = {}) {
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
