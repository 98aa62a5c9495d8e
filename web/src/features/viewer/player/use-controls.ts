import { type RefObject, useMemo, useRef } from 'react';
import { nextSpeed, usePlayerPreferences } from '../model/player-preferences';

/** The player's commands, for buttons, keys and gestures. */
export interface Controls {
  toggle: () => void;
  seek: (time: number) => void;
  skip: (seconds: number) => void;
  mute: () => void;
  setVolume: (volume: number) => void;
  changeVolume: (by: number) => void;
  speed: (speed: number) => void;
  changeSpeed: (way: -1 | 1) => void;
  subtitles: () => void;
  fullscreen: () => void;
  pip: () => void;
}

interface Options {
  media: RefObject<HTMLVideoElement | null>;
  root: RefObject<HTMLElement | null>;
  /** The whole duration in seconds. */
  duration: number;
  onSubtitles: () => void;
}

/** Safari on iPhone can only put the video element itself into full screen. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** Returns the commands for a media element; preferences are stored. */
export function useControls(options: Options): Controls {
  const latest = useRef(options);
  latest.current = options;
  return useMemo(() => {
    const media = () => latest.current.media.current;
    const seek = (time: number) => {
      const element = media();
      if (!element) return;
      const { seekable } = element;
      // While a film is being transcoded, seeking is limited to what exists.
      const edge = seekable.length ? seekable.end(seekable.length - 1) : latest.current.duration;
      element.currentTime = Math.max(0, Math.min(time, Math.max(0, edge - 0.1)));
    };
    const setVolume = (volume: number) => {
      const element = media();
      if (!element) return;
      element.volume = Math.min(1, Math.max(0, volume));
      element.muted = element.volume === 0;
      usePlayerPreferences.setState({ volume: element.volume, muted: element.muted });
    };
    const speed = (value: number) => {
      const element = media();
      if (!element) return;
      element.defaultPlaybackRate = value;
      element.playbackRate = value;
      usePlayerPreferences.setState({ speed: value });
    };
    return {
      toggle: () => {
        const element = media();
        if (element?.paused) void element.play().catch(() => undefined);
        else element?.pause();
      },
      seek,
      skip: (seconds) => seek((media()?.currentTime ?? 0) + seconds),
      mute: () => {
        const element = media();
        if (!element) return;
        element.muted = !element.muted;
        if (!element.muted && element.volume === 0) element.volume = 0.5;
        usePlayerPreferences.setState({ muted: element.muted, volume: element.volume });
      },
      setVolume,
      changeVolume: (by) => setVolume((media()?.volume ?? 1) + by),
      speed,
      changeSpeed: (way) => speed(nextSpeed(media()?.playbackRate ?? 1, way)),
      subtitles: () => latest.current.onSubtitles(),
      fullscreen: () => {
        const root = latest.current.root.current;
        if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
        else if (root?.requestFullscreen) void root.requestFullscreen().catch(() => undefined);
        else (media() as PhoneVideo | null)?.webkitEnterFullscreen?.();
      },
      pip: () => {
        if (document.pictureInPictureElement) void document.exitPictureInPicture().catch(() => undefined);
        else
          void media()
            ?.requestPictureInPicture()
            .catch(() => undefined);
      },
    };
  }, []);
}
