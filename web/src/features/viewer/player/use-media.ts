import { type RefObject, useEffect, useState } from 'react';

/** The state of a media element; times in seconds. */
export interface MediaState {
  time: number;
  /** The element's duration; of a film that is still being transcoded, that of what exists. */
  known: number;
  paused: boolean;
  ended: boolean;
  waiting: boolean;
  muted: boolean;
  volume: number;
  speed: number;
  /** The end of the buffered range around the current position. */
  buffered: number;
  /** The end of what is seekable. */
  edge: number;
  pip: boolean;
  started: boolean;
}

const EVENTS = [
  'timeupdate durationchange progress play playing pause waiting seeking seeked ended canplay loadeddata',
  'volumechange ratechange enterpictureinpicture leavepictureinpicture',
]
  .join(' ')
  .split(' ');

const nothing: MediaState = {
  time: 0,
  known: 0,
  paused: true,
  ended: false,
  waiting: false,
  muted: false,
  volume: 1,
  speed: 1,
  buffered: 0,
  edge: 0,
  pip: false,
  started: false,
};

/** Tracks the state of a media element. */
export function useMedia(ref: RefObject<HTMLVideoElement | null>): MediaState {
  const [state, setState] = useState(nothing);
  useEffect(() => {
    const media = ref.current;
    if (!media) return;
    const read = () => setState(({ started }) => stateOf(media, started));
    for (const event of EVENTS) media.addEventListener(event, read);
    read();
    return () => {
      for (const event of EVENTS) media.removeEventListener(event, read);
    };
  }, [ref]);
  return state;
}

function stateOf(media: HTMLVideoElement, started: boolean): MediaState {
  const { currentTime: time, duration, buffered, seekable } = media;
  const ranges = Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
  const around = ranges.find(([from = 0, to = 0]) => from - 0.2 <= time && time <= to);
  return {
    time,
    known: Number.isFinite(duration) ? duration : 0,
    paused: media.paused,
    ended: media.ended,
    waiting: !media.paused && !media.ended && media.readyState < 3,
    muted: media.muted,
    volume: media.volume,
    speed: media.playbackRate,
    buffered: around?.[1] ?? time,
    edge: seekable.length ? seekable.end(seekable.length - 1) : 0,
    pip: document.pictureInPictureElement === media,
    started: started || !media.paused,
  };
}
