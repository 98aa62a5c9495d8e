import { type RefObject, useEffect, useRef } from 'react';
import { usePlayerPreferences } from '../model/player-preferences';
import { storePosition } from '../model/positions';

const EVERY_MS = 4_000;

interface Options {
  media: RefObject<HTMLVideoElement | null>;
  /** Under which positions are stored. */
  positionsOf: string;
  fileId: string;
  duration: number;
}

/** Applies the stored volume and speed, and stores the playback position. */
export function useStoredPlayback({ media, positionsOf, fileId, duration }: Options): void {
  const length = useRef(duration);
  length.current = duration;
  useEffect(() => {
    const element = media.current;
    if (!element) return;
    const { volume, muted, speed } = usePlayerPreferences.getState();
    element.volume = volume;
    element.muted = muted;
    element.defaultPlaybackRate = speed;
    element.playbackRate = speed;
    let latest = 0;
    let storedAt = 0;
    const store = () => {
      if (latest > 0) storePosition(positionsOf, fileId, latest, length.current);
    };
    const onTime = () => {
      // While its source is replaced, an element is at 0 for a moment.
      if (element.readyState < 2 || element.seeking) return;
      latest = element.currentTime;
      if (Date.now() - storedAt < EVERY_MS) return;
      storedAt = Date.now();
      store();
    };
    // A seek counts, even if the player is closed before anything is shown.
    const onSeek = () => {
      if (element.readyState > 0) latest = element.currentTime;
    };
    element.addEventListener('seeking', onSeek);
    element.addEventListener('timeupdate', onTime);
    element.addEventListener('pause', store);
    window.addEventListener('pagehide', store);
    return () => {
      element.removeEventListener('seeking', onSeek);
      element.removeEventListener('timeupdate', onTime);
      element.removeEventListener('pause', store);
      window.removeEventListener('pagehide', store);
      store();
    };
  }, [media, positionsOf, fileId]);
}
