import { describe, expect, it } from 'vitest';
import { PartSlots } from '@/features/uploads/engine/part-slots';

const never = new AbortController().signal;

describe('the places for parts', () => {
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

  it('go to the earliest upload first', async () => {
    const slots = new PartSlots(1);
    const giveBack = await slots.take(0, never);
    const order: number[] = [];
    const later = slots.take(2, never).then((back) => {
      order.push(2);
      back();
    });
    const sooner = slots.take(1, never).then((back) => {
      order.push(1);
      back();
    });
    giveBack();
    await Promise.all([later, sooner]);
    expect(order).toEqual([1, 2]);
  });

  it('are not lost when a waiting part gives up', async () => {
    const slots = new PartSlots(1);
    const giveBack = await slots.take(0, never);
    const gone = new AbortController();
    const waiting = slots.take(0, gone.signal);
    gone.abort();
    await expect(waiting).rejects.toBeDefined();
    giveBack();
    giveBack();
    await slots.take(0, never);
    let second = false;
    void slots.take(0, never).then(() => {
      second = true;
    });
    await Promise.resolve();
    expect(second).toBe(false);
  });
});
