/** Creates the empty folders of a dropped tree; uploads create the others. */
import { api, dataOf } from '@/api/client';
import { isProblem } from '@/api/problem';
import { randomKey } from '@/lib/ids';

/** Creates the folders at these paths below `base` (a path from the root), with their ancestors. */
export async function createFolders(base: string, paths: string[]): Promise<void> {
  const known = new Map<string, string | null>([['', null]]);
  for (const path of paths) {
    let way = '';
    for (const name of [...base.split('/'), ...path.split('/')].filter(Boolean)) {
      const parentId = known.get(way) ?? null;
      way += `/${name}`;
      if (!known.has(way)) known.set(way, await folderAt(way, name, parentId));
    }
  }
}

/** Returns the folder's id, creating it if it does not exist. */
async function folderAt(path: string, name: string, parentId: string | null): Promise<string | null> {
  try {
    const headers = { 'Idempotency-Key': randomKey() };
    return (await dataOf(api.POST('/api/v1/folders', { body: { name, parentId }, headers }))).id;
  } catch (error) {
    if (!isProblem(error, 'name-taken')) throw error;
    const listing = await dataOf(api.GET('/api/v1/files', { params: { query: { path, limit: 1 } } }));
    return listing.folder?.id ?? null;
  }
}
