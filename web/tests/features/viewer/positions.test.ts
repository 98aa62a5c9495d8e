import { describe, expect, it, vi } from 'vitest';
import { notePosition, positionOf } from '@/features/viewer/model/positions';

describe('where somebody stopped', () => {
  it('is known for the same film and person', () => {
    notePosition('ann', 'film', 300.04, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(300);
    expect(positionOf('ben', 'film', 3600)).toBe(0);
    expect(positionOf('ann', 'other', 3600)).toBe(0);
  });

  it('is the start for those who had hardly begun, or had seen it all', () => {
    notePosition('ann', 'film', 300, 3600);
    notePosition('ann', 'film', 3, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(0);
    notePosition('ann', 'film', 3590, 3600);
    expect(positionOf('ann', 'film', 3600)).toBe(0);
  });

  it('is forgotten of the films that were seen longest ago, when there are many', () => {
    vi.useFakeTimers();
    for (let index = 0; index < 205; index += 1) {
      vi.setSystemTime(index * 1000);
      notePosition('ann', `film-${index}`, 100, 3600);
    }
    vi.useRealTimers();
    expect(positionOf('ann', 'film-0', 3600)).toBe(0);
    expect(positionOf('ann', 'film-204', 3600)).toBe(100);
  });

  it('is nowhere when what was kept is broken', () => {
    localStorage.setItem('metastore.positions.ann', 'nonsense');
    expect(positionOf('ann', 'film', 3600)).toBe(0);
  });
});
