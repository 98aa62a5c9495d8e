/**
 * Plays a source on a media element: with hls.js, with the browser's own HLS (Safari on older phones), or as a plain
 * file.
 *
 * A film whose renditions are still being made has playlists that grow (EVENT). It is played from its beginning or
 * the stored position, never from the live edge. When there are more renditions, or the URLs have expired, `load` loads
 * a new master playlist at the current position and keeps the chosen quality and audio track.
 */
import Hls, { type ErrorData, ErrorTypes, Events, type Level, type MediaPlaylist } from 'hls.js';
import { shortSide } from '../model/renditions';

/** The available qualities, and the chosen one. */
export interface Choices {
  /** The available heights, largest first; empty where the browser chooses. */
  heights: number[];
  /** The chosen height; `null` for automatic. */
  height: number | null;
  /** The current height, if known. */
  playing: number | null;
  sounds: { id: number; label: string; language: string | null }[];
  sound: number;
}

/** Nothing to choose from. */
export const noChoices: Choices = { heights: [], height: null, playing: null, sounds: [], sound: -1 };

interface Listeners {
  onChoices: (choices: Choices) => void;
  /** Called before the source is replaced, while its frame is still shown. */
  onChange: () => void;
  /** Called with `true` when a new source is loading, and with `false` at its first frame. */
  onLoading: (loading: boolean) => void;
  onFault: () => void;
  /** Returns a fresh URL, or none. */
  renew: () => Promise<string | null>;
}

const REFUSED = [401, 403, 404, 410];
const MOST_RENEWALS = 3;
const MOST_RECOVERIES = 2;
const NETWORK_ATTEMPTS = 4;

/** See the top of this file. */
export class Engine {
  #hls: Hls | null = null;
  #height: number | null = null;
  #sound: { name: string; language: string | null } | null = null;
  #renewals = 0;
  #recoveries = 0;
  #networkAttempts = 0;
  #renewing = false;
  #ended = false;
  #bandwidth: number | null = null;
  #wait: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly media: HTMLMediaElement,
    private readonly on: Listeners,
  ) {
    media.addEventListener('error', this.#onMediaError);
    media.addEventListener('loadeddata', this.#onPicture);
    media.addEventListener('seeked', this.#onPicture);
  }

  /** Plays an HLS master playlist from `at` (seconds). */
  load(url: string, at: number, play: boolean): void {
    this.on.onChange();
    this.on.onLoading(true);
    const speed = this.media.playbackRate;
    this.#drop();
    if (Hls.isSupported()) this.#loadWithHlsJs(url, at);
    else this.#loadNatively(url, at);
    this.media.defaultPlaybackRate = speed;
    this.media.playbackRate = speed;
    if (play) void this.media.play().catch(() => undefined);
  }

  /** Plays a plain file. */
  loadFile(url: string, at: number, play: boolean): void {
    this.on.onChange();
    this.on.onLoading(true);
    this.#drop();
    this.#loadNatively(url, at);
    if (play) void this.media.play().catch(() => undefined);
  }

  /** Chooses a height, or `null` for automatic. */
  chooseHeight(height: number | null): void {
    this.#height = height;
    if (!this.#hls) return;
    // A manual choice applies at once; an automatic one with the next segment.
    if (height === null) this.#hls.loadLevel = -1;
    else this.#hls.currentLevel = this.#levelOf(height);
    this.#reportChoices();
  }

  /** Chooses an audio track. */
  chooseSound(id: number): void {
    const track = this.#hls?.allAudioTracks.find((one) => one.id === id);
    if (!this.#hls || !track) return;
    this.#sound = { name: track.name, language: track.lang ?? null };
    this.#hls.audioTrack = id;
    this.#reportChoices();
  }

  /** Releases all resources. */
  destroy(): void {
    this.#ended = true;
    clearTimeout(this.#wait);
    this.media.removeEventListener('error', this.#onMediaError);
    this.media.removeEventListener('loadeddata', this.#onPicture);
    this.media.removeEventListener('seeked', this.#onPicture);
    this.#drop();
    this.media.removeAttribute('src');
    this.media.load();
  }

  #drop(): void {
    clearTimeout(this.#wait);
    if (!this.#hls) return;
    this.#bandwidth = this.#hls.bandwidthEstimate;
    this.#hls.destroy();
    this.#hls = null;
  }

  #loadNatively(url: string, at: number): void {
    this.media.src = url;
    if (at > 0) {
      this.media.addEventListener('loadedmetadata', () => (this.media.currentTime = at), { once: true });
    }
  }

  #loadWithHlsJs(url: string, at: number): void {
    const hls = new Hls({
      startPosition: at,
      // Our content security policy forbids its blob worker; fMP4 needs little work anyway.
      enableWorker: false,
      capLevelToPlayerSize: true,
      backBufferLength: 60,
      // Subtitles are tracks of the element, so that they survive a change of the source.
      renderTextTracksNatively: false,
      enableWebVTT: false,
      enableIMSC1: false,
      enableCEA708Captions: false,
      ...(this.#bandwidth ? { abrEwmaDefaultEstimate: this.#bandwidth, testBandwidth: false } : {}),
    });
    this.#hls = hls;
    hls.on(Events.MANIFEST_PARSED, () => this.#onManifest());
    hls.on(Events.LEVEL_SWITCHED, () => this.#reportChoices());
    hls.on(Events.LEVELS_UPDATED, () => this.#reportChoices());
    hls.on(Events.AUDIO_TRACKS_UPDATED, () => this.#onSounds());
    hls.on(Events.AUDIO_TRACK_SWITCHED, () => this.#reportChoices());
    hls.on(Events.FRAG_BUFFERED, () => {
      this.#renewals = 0;
      this.#networkAttempts = 0;
    });
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    hls.attachMedia(this.media);
    hls.loadSource(url);
  }

  #onManifest(): void {
    if (this.#hls && this.#height !== null) {
      const level = this.#levelOf(this.#height);
      if (level >= 0) this.#hls.loadLevel = level;
    }
    this.#reportChoices();
  }

  #onSounds(): void {
    const wanted = this.#sound;
    const track = wanted && this.#hls?.audioTracks.find((one) => isSame(one, wanted));
    if (this.#hls && track && this.#hls.audioTrack !== track.id) this.#hls.audioTrack = track.id;
    this.#reportChoices();
  }

  #levelOf(height: number): number {
    return this.#hls?.levels.findLastIndex((level) => shortSide(level) === height) ?? -1;
  }

  #reportChoices(): void {
    const hls = this.#hls;
    if (!hls) return;
    const playing = hls.levels[hls.currentLevel];
    this.on.onChoices({
      heights: heightsOf(hls.levels),
      height: this.#height,
      playing: playing ? shortSide(playing) : null,
      sounds: hls.audioTracks.map(({ id, name, lang }) => ({ id, label: name, language: lang ?? null })),
      sound: hls.audioTrack,
    });
  }

  #onError(data: ErrorData): void {
    if (REFUSED.includes(data.response?.code ?? 0)) {
      void this.#renew();
      return;
    }
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR && this.#recoveries < MOST_RECOVERIES) {
      this.#recoveries += 1;
      this.#hls?.recoverMediaError();
    } else if (data.type === ErrorTypes.NETWORK_ERROR && this.#networkAttempts < NETWORK_ATTEMPTS) {
      this.#networkAttempts += 1;
      clearTimeout(this.#wait);
      this.#wait = setTimeout(() => void this.#renew(), 1_000 * 2 ** (this.#networkAttempts - 1));
    } else this.#fail();
  }

  /** Reloads with fresh URLs at the current position, when the old ones have expired. */
  async #renew(): Promise<void> {
    if (this.#renewing || this.#ended) return;
    this.#renewing = true;
    this.#hls?.stopLoad();
    this.#renewals += 1;
    const url = this.#renewals > MOST_RENEWALS ? null : await this.on.renew().catch(() => null);
    this.#renewing = false;
    if (this.#ended) return;
    if (url) this.load(url, this.media.currentTime, !this.media.paused);
    else this.#fail();
  }

  readonly #onMediaError = () => {
    // With hls.js, its own errors are more precise.
    if (this.#hls || this.#ended || !this.media.error) return;
    void this.#renewFile();
  };

  async #renewFile(): Promise<void> {
    this.#renewals += 1;
    const at = this.media.currentTime;
    const url = this.#renewals > 1 ? null : await this.on.renew().catch(() => null);
    if (this.#ended) return;
    if (url) this.loadFile(url, at, true);
    else this.#fail();
  }

  readonly #onPicture = () => {
    if (!this.#hls) this.#renewals = 0;
    this.on.onLoading(false);
  };

  #fail(): void {
    this.#hls?.stopLoad();
    this.on.onLoading(false);
    this.on.onFault();
  }
}

function heightsOf(levels: Level[]): number[] {
  const heights = levels.map(shortSide).filter((height) => height > 0);
  return [...new Set(heights)].sort((a, b) => b - a);
}

function isSame(track: MediaPlaylist, wanted: { name: string; language: string | null }): boolean {
  return track.name === wanted.name && (track.lang ?? null) === wanted.language;
}
