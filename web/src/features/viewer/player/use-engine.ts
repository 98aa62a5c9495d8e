import { useQueryClient } from '@tanstack/react-query';
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { Stream } from '@/api/types';
import { hasMore, playable, shortSide } from '../model/renditions';
import { previewQuery, streamQuery } from '../queries';
import { useViewerSource } from '../source';
import { type Choices, Engine, noChoices } from './engine';

/** The source: an HLS stream, or a plain file. */
export type Source = { stream: Stream } | { url: string };

interface Options {
  fileId: string;
  source: Source;
  /** The start position in seconds. */
  from: number;
  autoplay: boolean;
  /** Called before the source is replaced. */
  onChange: () => void;
}

/**
 * Plays a source on a media element, and reloads it when renditions are added. `loading` is true while a source is
 * being replaced.
 */
export function useEngine(media: RefObject<HTMLVideoElement | null>, options: Options) {
  const { fileId, source } = options;
  const queries = useQueryClient();
  const viewer = useViewerSource();
  const [choices, setChoices] = useState<Choices>(noChoices);
  const [loading, setLoading] = useState(true);
  const [fault, setFault] = useState(false);
  const engine = useRef<Engine | null>(null);
  const known = useRef<string[]>([]);
  const heights = useRef<number[]>([]);
  heights.current = choices.heights;
  const latest = useRef(options);
  latest.current = options;

  // biome-ignore lint/correctness/useExhaustiveDependencies: one engine per file
  useEffect(() => {
    const element = media.current;
    if (!element) return;
    const { source, from, autoplay } = latest.current;
    const streaming = 'stream' in source;
    const renew = async () => {
      if (!streaming)
        return (await queries.fetchQuery({ ...previewQuery(viewer, fileId), staleTime: 0 })).url;
      const stream = await queries.fetchQuery({ ...streamQuery(viewer, fileId), staleTime: 0 });
      known.current = playable(stream);
      return stream.url;
    };
    const created = new Engine(element, {
      onChoices: setChoices,
      onChange: () => latest.current.onChange(),
      onLoading: setLoading,
      onFault: () => setFault(true),
      renew,
    });
    engine.current = created;
    if (streaming) {
      known.current = playable(source.stream);
      created.load(source.stream.url, from, autoplay);
    } else created.loadFile(source.url, from, autoplay);
    return () => {
      engine.current = null;
      created.destroy();
    };
  }, [fileId, 'stream' in source]);

  const stream = 'stream' in source ? source.stream : null;
  useEffect(() => {
    const element = media.current;
    if (!stream || !element || !engine.current || !hasMore(stream, known.current)) return;
    const before = known.current;
    known.current = playable(stream);
    const fresh = stream.renditions.filter(
      ({ name }) => known.current.includes(name) && !before.includes(name),
    );
    // It may already have been in the master playlist when that was loaded.
    const seen = fresh.every((one) => one.kind === 'video' && heights.current.includes(shortSide(one)));
    if (!seen) engine.current.load(stream.url, element.currentTime, !element.paused);
  }, [stream, media]);

  return useMemo(
    () => ({
      choices,
      loading,
      fault,
      chooseHeight: (height: number | null) => engine.current?.chooseHeight(height),
      chooseSound: (id: number) => engine.current?.chooseSound(id),
    }),
    [choices, loading, fault],
  );
}

/** The result of `useEngine`. */
export type EngineControl = ReturnType<typeof useEngine>;
