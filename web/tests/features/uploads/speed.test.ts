import { describe, expect, it } from 'vitest';
import { backOffDelay } from '@/features/uploads/engine/back-off';
import { Speedometer, secondsLeft } from '@/features/uploads/engine/speed';

describe('the speed', () => {
  it('is that of the last seconds', () => {
    const meter = new Speedometer();
    for (let second = 0; second <= 20; second += 1)
      meter.note(second < 10 ? 0 : (second - 10) * 500, second * 1000);
    expect(meter.speed).toBeCloseTo(500);
  });

  it('is unknown at first and after a part is resent', () => {
    const meter = new Speedometer();
    meter.note(1000, 0);
    expect(meter.speed).toBe(0);
    meter.note(2000, 1000);
    meter.note(500, 2000);
    expect(meter.speed).toBe(0);
  });

  it('gives the time left only while bytes are sent', () => {
    expect(secondsLeft(100, 50)).toBe(2);
    expect(secondsLeft(100, 0)).toBeNull();
  });
});

describe('the back-off between attempts', () => {
  it('grows, and stays within five seconds', () => {
    expect(backOffDelay(0, 1)).toBe(500);
    expect(backOffDelay(1, 1)).toBe(1000);
    expect(backOffDelay(50, 1)).toBe(5000);
    expect(backOffDelay(50, 0)).toBeGreaterThan(3000);
  });
});
