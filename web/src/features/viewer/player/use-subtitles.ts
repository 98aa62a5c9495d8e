import { type RefObject, useCallback, useEffect, useState } from 'react';
import type { Stream } from '@/api/types';
import { usePlayerPreferences } from '../model/player-preferences';

/** The index of the shown subtitles, or -1. Defaults to the language chosen last. */
export function useSubtitles(media: RefObject<HTMLVideoElement | null>, tracks: Stream['subtitles']) {
  const preferred = usePlayerPreferences(({ subtitles }) => subtitles);
  const [chosen, setChosen] = useState<number | null>(null);
  const preferredIndex = preferred === null ? -1 : tracks.findIndex((track) => labelOf(track) === preferred);
  const shown = chosen ?? preferredIndex;
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
      usePlayerPreferences.setState({ subtitles: track ? labelOf(track) : null });
    },
    [tracks],
  );
  const toggle = () => {
    if (tracks.length) choose(shown >= 0 ? -1 : Math.max(0, preferredIndex));
  };
  return { shown, choose, toggle };
}

function labelOf({ language, name }: Stream['subtitles'][number]): string {
  return language ?? name;
}
