import { describe, expect, it } from 'vitest';
import { type Frame, moveBy, sizeWithin, turnRight, whole, zoomAt } from '@/features/viewer/model/zoom';

const stage = { width: 800, height: 600 };
const frame: Frame = { stage, fitted: { width: 800, height: 400 }, largest: 8 };

describe('a picture on its stage', () => {
  it('fits, turned or not, and is not enlarged', () => {
    expect(sizeWithin({ width: 1600, height: 800 }, stage)).toEqual({ width: 800, height: 400 });
    expect(sizeWithin({ width: 1600, height: 800 }, stage, 90)).toEqual({ width: 300, height: 600 });
    expect(sizeWithin({ width: 100, height: 50 }, stage)).toEqual({ width: 100, height: 50 });
    expect(sizeWithin({ width: 0, height: 0 }, stage)).toEqual({ width: 0, height: 0 });
  });

  it('is zoomed around the pointer', () => {
    expect(zoomAt(whole, 2, { x: 100, y: 50 }, frame)).toMatchObject({ scale: 2, x: -100, y: -50 });
  });

  it('is neither smaller than the stage nor larger than its limit', () => {
    expect(zoomAt(whole, 0.1, { x: 0, y: 0 }, frame).scale).toBe(1);
    expect(zoomAt(whole, 100, { x: 0, y: 0 }, frame).scale).toBe(8);
  });

  it('is panned up to its edges, and not at all while it fits', () => {
    expect(moveBy(whole, 500, 500, frame)).toMatchObject({ x: 0, y: 0 });
    expect(moveBy({ ...whole, scale: 2 }, 5000, -5000, frame)).toMatchObject({ x: 400, y: -100 });
  });

  it('fits again after a rotation, and is upright after four', () => {
    const turned = turnRight({ scale: 3, x: 10, y: 20, turn: 0 });
    expect(turned).toEqual({ scale: 1, x: 0, y: 0, turn: 90 });
    expect(turnRight(turnRight(turnRight(turned))).turn).toBe(0);
  });
});
