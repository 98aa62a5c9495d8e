import { describe, expect, it } from 'vitest';
import { browserMemory } from '@/features/uploads/engine/memory';

describe('the memory of unfinished uploads', () => {
  it('stores a file until it is forgotten', async () => {
    const file = { uploadId: 'u1', name: 'a.bin', size: 3, lastModified: 7, handle: null };
    await browserMemory.remember(file);
    expect((await browserMemory.recall()).get('u1')).toEqual(file);
    await browserMemory.forget('u1');
    expect((await browserMemory.recall()).size).toBe(0);
  });

  it('stores the rest if a handle cannot be stored', async () => {
    const handle = { getFile: () => null } as unknown as FileSystemFileHandle;
    await browserMemory.remember({ uploadId: 'u2', name: 'b', size: 1, lastModified: 1, handle });
    expect((await browserMemory.recall()).get('u2')?.handle).toBeNull();
    await browserMemory.forget('u2');
  });
});
