import { describe, expect, it } from 'vitest';
import { makeFolders } from '@/features/uploads/empty-folders';
import { annsServer } from '../../fakes/drive';

describe('empty folders', () => {
  it('are made with those that they lie in, each once, also where some are there already', async () => {
    const made: unknown[] = [];
    annsServer()
      .on('POST /api/v1/folders', (body) => {
        const { name } = body as { name: string };
        if (name === 'Work') return { status: 409, body: { code: 'name-taken' } };
        made.push(body);
        return { status: 201, body: { id: `id-${name}` } };
      })
      .on('GET /api/v1/files', {
        body: { items: [], nextCursor: null, folder: { id: 'id-Work' }, breadcrumb: [] },
      });
    await makeFolders('/Work', ['trip/day 1', 'trip/day 2']);
    expect(made).toEqual([
      { name: 'trip', parentId: 'id-Work' },
      { name: 'day 1', parentId: 'id-trip' },
      { name: 'day 2', parentId: 'id-trip' },
    ]);
  });
});
