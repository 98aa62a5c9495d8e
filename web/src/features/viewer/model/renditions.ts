/** Which renditions a master playlist names, told from `/stream`. */
import type { Stream } from '@/api/types';

type Rendition = Stream['renditions'][number];

/** The names of what can be played now: pictures that are done, or being made while none is; and all sounds. */
export function playable({ renditions }: Stream): string[] {
  const videos = renditions.filter(({ kind }) => kind === 'video');
  const done = videos.filter(({ state }) => state === 'done');
  const sounds = renditions.filter(({ kind }) => kind === 'audio');
  return [...(done.length ? done : videos), ...sounds].map(({ name }) => name);
}

/** Whether there is more to play than when `known` was read: then the master is worth reading again. */
export function hasMore(stream: Stream, known: string[]): boolean {
  return playable(stream).some((name) => !known.includes(name));
}

/** What people call a picture's size by: its smaller side. */
export function shortSide({ width, height }: Pick<Rendition, 'width' | 'height'>): number {
  return Math.min(width ?? height ?? 0, height ?? width ?? 0);
}
