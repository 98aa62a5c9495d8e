import { describe, expect, it } from 'vitest';
import { createFolders } from '@/features/uploads/empty-folders';
import { signedInServer } from '../../fakes/drive';

describe('empty folders', () => {
  it('are created with their ancestors, each once, even if some exist already', async () => {
    const created: unknown[] = [];
    signedInServer()
      .on('POST /api/v1/folders', (body) => {
        const { name } = body as { name: string };
        if (name === 'Work') return { status: 409, body: { code: 'name-taken' } };
        created.push(body);
        return { status: 201, body: { id: `id-${name}` } };
      })
      .on('GET /api/v1/files', {
        body: { items: [], nextCursor: null, folder: { id: 'id-Work' }, breadcrumb: [] },
      });
    await createFolders('/Work', ['trip/day 1', 'trip/day 2']);
    expect(created).toEqual([
      { name: 'trip', parentId: 'id-Work' },
      { name: 'day 1', parentId: 'id-trip' },
      { name: 'day 2', parentId: 'id-trip' },
    ]);
  });
});
