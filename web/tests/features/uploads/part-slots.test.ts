import { describe, expect, it } from 'vitest';
import { PartSlots } from '@/features/uploads/engine/part-slots';

const never = new AbortController().signal;

describe('the slots for parts', () => {
  it('are limited', async () => {
    const slots = new PartSlots(2);
    await slots.take(1, never);
    await slots.take(1, never);
    let third = false;
    void slots.take(1, never).then(() => {
      third = true;
    });
    await Promise.resolve();
    expect(third).toBe(false);
  });

  it('are taken by the earliest upload first', async () => {
    const slots = new PartSlots(1);
    const release = await slots.take(0, never);
    const order: number[] = [];
    const later = slots.take(2, never).then((release) => {
      order.push(2);
      release();
    });
    const sooner = slots.take(1, never).then((release) => {
      order.push(1);
      release();
    });
    release();
    await Promise.all([later, sooner]);
    expect(order).toEqual([1, 2]);
  });

  it('are not lost when a waiting part is aborted', async () => {
    const slots = new PartSlots(1);
    const release = await slots.take(0, never);
    const aborted = new AbortController();
    const waiting = slots.take(0, aborted.signal);
    aborted.abort();
    await expect(waiting).rejects.toBeDefined();
    release();
    release();
    await slots.take(0, never);
    let second = false;
    void slots.take(0, never).then(() => {
      second = true;
    });
    await Promise.resolve();
    expect(second).toBe(false);
  });
});
