import { type RefObject, useCallback, useEffect, useState } from 'react';
import type { Stream } from '@/api/types';
import { useListening } from '../model/listening';

/** The index of the shown subtitles, or -1. Defaults to the language chosen last. */
export function useSubtitles(media: RefObject<HTMLVideoElement | null>, tracks: Stream['subtitles']) {
  const liked = useListening(({ subtitles }) => subtitles);
  const [chosen, setChosen] = useState<number | null>(null);
  const byItself = liked === null ? -1 : tracks.findIndex((track) => labelOf(track) === liked);
  const shown = chosen ?? byItself;
  useEffect(() => {
    const element = media.current;
    if (!element) return;
    const apply = () => {
      for (const [index, track] of Array.from(element.textTracks).entries()) {
        const mode = index === shown ? 'showing' : 'disabled';
        if (track.mode !== mode) track.mode = mode;
      }
    };
    apply();
    element.textTracks.addEventListener('addtrack', apply);
    return () => element.textTracks.removeEventListener('addtrack', apply);
  }, [media, shown]);
  const choose = useCallback(
    (index: number) => {
      setChosen(index);
      const track = tracks[index];
      useListening.setState({ subtitles: track ? labelOf(track) : null });
    },
    [tracks],
  );
  const toggle = () => {
    if (tracks.length) choose(shown >= 0 ? -1 : Math.max(0, byItself));
  };
  return { shown, choose, toggle };
}

function labelOf({ language, name }: Stream['subtitles'][number]): string {
  return language ?? name;
}
