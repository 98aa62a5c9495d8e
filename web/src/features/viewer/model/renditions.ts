/** The renditions in a master playlist, derived from `/stream`. */
import type { Stream } from '@/api/types';

type Rendition = Stream['renditions'][number];

/** Returns the names of the playable renditions: finished video, or unfinished when none is; and all audio. */
export function playable({ renditions }: Stream): string[] {
  const videos = renditions.filter(({ kind }) => kind === 'video');
  const done = videos.filter(({ state }) => state === 'done');
  const sounds = renditions.filter(({ kind }) => kind === 'audio');
  return [...(done.length ? done : videos), ...sounds].map(({ name }) => name);
}

/** Whether there are more renditions than in `known`, so that the master playlist should be reloaded. */
export function hasMore(stream: Stream, known: string[]): boolean {
  return playable(stream).some((name) => !known.includes(name));
}

/** The nominal height of a rendition: its shorter side. */
export function shortSide({ width, height }: Pick<Rendition, 'width' | 'height'>): number {
  return Math.min(width ?? height ?? 0, height ?? width ?? 0);
}
