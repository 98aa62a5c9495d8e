import { describe, expect, it } from 'vitest';
import type { Stream } from '@/api/types';
import { hasMore, playable, shortSide } from '@/features/viewer/model/renditions';

type State = 'making' | 'done';

function stream(...renditions: [string, State][]): Stream {
  const all = renditions.map(([name, state]) => ({ name, state, kind: name[0] === 'v' ? 'video' : 'audio' }));
  return { renditions: all } as unknown as Stream;
}

describe('the renditions of a film', () => {
  it('are playable while unfinished, if none is done', () => {
    expect(playable(stream(['v720', 'making'], ['a0', 'making']))).toEqual(['v720', 'a0']);
  });

  it('are playable when done, once one is', () => {
    expect(playable(stream(['v1080', 'done'], ['v720', 'making'], ['a0', 'done']))).toEqual(['v1080', 'a0']);
  });

  it('are more than before when another one is done, not when one has only ended', () => {
    const before = playable(stream(['v1080', 'making'], ['a0', 'making']));
    expect(hasMore(stream(['v1080', 'done'], ['a0', 'done']), before)).toBe(false);
    expect(hasMore(stream(['v1080', 'done'], ['v720', 'done'], ['a0', 'done']), before)).toBe(true);
  });

  it('are named by their shorter side', () => {
    expect(shortSide({ width: 1920, height: 1080 })).toBe(1080);
    expect(shortSide({ width: 720, height: 1280 })).toBe(720);
    expect(shortSide({ width: null, height: null })).toBe(0);
  });
});
