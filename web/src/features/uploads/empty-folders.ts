/** Folders of a dropped tree in which no file lies: uploads make the others on their way. */
import { answer, api } from '@/api/client';
import { isProblem } from '@/api/problem';
import { randomKey } from '@/lib/ids';

/** Makes the folders at these paths below `base` (a path from the root), each with those that it lies in. */
export async function makeFolders(base: string, paths: string[]): Promise<void> {
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

/** The folder's id, whether it was there or is made now. */
async function folderAt(path: string, name: string, parentId: string | null): Promise<string | null> {
  try {
    const headers = { 'Idempotency-Key': randomKey() };
    return (await answer(api.POST('/api/v1/folders', { body: { name, parentId }, headers }))).id;
  } catch (error) {
    if (!isProblem(error, 'name-taken')) throw error;
    const listing = await answer(api.GET('/api/v1/files', { params: { query: { path, limit: 1 } } }));
    return listing.folder?.id ?? null;
  }
}
