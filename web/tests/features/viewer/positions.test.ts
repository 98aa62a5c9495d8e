import { describe, expect, it, vi } from 'vitest';
import { positionOf, storePosition } from '@/features/viewer/model/positions';

describe('a playback position', () => {
  it('is stored per user and film', () => {
    storePosition('ann', 'film', 300.04, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(300);
    expect(positionOf('ben', 'film', 3600)).toBe(0);
    expect(positionOf('ann', 'other', 3600)).toBe(0);
  });

  it('is not stored near the start or the end', () => {
    storePosition('ann', 'film', 300, 3600);
    storePosition('ann', 'film', 3, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(0);
    storePosition('ann', 'film', 3590, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(0);
  });

  it('is removed for the films viewed longest ago, when there are many', () => {
    vi.useFakeTimers();
    for (let index = 0; index < 205; index += 1) {
      vi.setSystemTime(index * 1000);
      storePosition('ann', `film-${index}`, 100, 3600);
    }
    vi.useRealTimers();
    expect(positionOf('ann', 'film-0', 3600)).toBe(0);
    expect(positionOf('ann', 'film-204', 3600)).toBe(100);
  });

  it('is the start if the stored data is invalid', () => {
    localStorage.setItem('metastore.positions.ann', 'nonsense');
    expect(positionOf('ann', 'film', 3600)).toBe(0);
  });
});
