import { describe, expect, it } from 'vitest';
import { BatchSize } from '@/features/uploads/engine/batch-size';

const MIB = 1024 * 1024;

describe('the size of a batch', () => {
  it('is what takes two seconds', () => {
    const size = new BatchSize();
    expect(size.bytes).toBe(MIB);
    size.note(MIB, 1000);
    expect(size.bytes).toBe(2 * MIB);
    size.note(MIB, 4000);
    expect(size.bytes).toBe(MIB / 2);
  });

  it('stays within bounds', () => {
    const size = new BatchSize();
    size.note(8 * MIB, 0);
    expect(size.bytes).toBe(8 * MIB);
    size.note(1, 60_000);
    expect(size.bytes).toBe(MIB / 4);
  });
});
