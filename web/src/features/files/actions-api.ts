/** API calls that change files and folders. */
import { api, dataOf } from '@/api/client';
import { ApiProblem } from '@/api/problem';
import type { Item } from '@/api/types';
import { DAMAGED, isDamaged } from '@/components/damage';
import { randomKey } from '@/lib/ids';

/** How many items the URL of an archive can hold. */
const MAX_ARCHIVED = 300;

/** Renames or moves. `parentId: null` is the root. */
export async function change(item: Item, body: { name?: string; parentId?: string | null }): Promise<void> {
  if (item.kind === 'folder') {
    await dataOf(
      api.PATCH('/api/v1/folders/{folder_id}', { params: { path: { folder_id: item.id } }, body }),
    );
  } else {
    await dataOf(api.PATCH('/api/v1/files/{file_id}', { params: { path: { file_id: item.id } }, body }));
  }
}

/** Moves to the trash. */
export async function trash(item: Item): Promise<void> {
  if (item.kind === 'folder') {
    await dataOf(api.DELETE('/api/v1/folders/{folder_id}', { params: { path: { folder_id: item.id } } }));
  } else {
    await dataOf(api.DELETE('/api/v1/files/{file_id}', { params: { path: { file_id: item.id } } }));
  }
}

/** Restores from the trash. */
export async function restore({ id }: Item): Promise<void> {
  await dataOf(api.POST('/api/v1/trash/{node_id}/restore', { params: { path: { node_id: id } } }));
}

/** Retries a failed processing. */
export async function retry({ id }: Item): Promise<void> {
  await dataOf(
    api.POST('/api/v1/files/{file_id}/retry', {
      params: { path: { file_id: id } },
      headers: { 'Idempotency-Key': randomKey() },
    }),
  );
}

/** Deletes for good. */
export async function purge({ id }: Item): Promise<void> {
  await dataOf(api.DELETE('/api/v1/trash/{node_id}', { params: { path: { node_id: id } } }));
}

/** Deletes everything in the trash for good. */
export async function emptyTrash(): Promise<void> {
  await dataOf(api.DELETE('/api/v1/trash'));
}

/** Creates a folder. */
export function createFolder(name: string, parentId: string | null) {
  return dataOf(
    api.POST('/api/v1/folders', { body: { name, parentId }, headers: { 'Idempotency-Key': randomKey() } }),
  );
}

/**
 * Downloads a file by navigation. The file is fetched first: a navigation that fails would show or save an error page
 * instead of renewing the session or reporting the problem.
 */
export async function download({ id, name }: Item): Promise<void> {
  const file = await dataOf(api.GET('/api/v1/files/{file_id}', { params: { path: { file_id: id } } }));
  if (isDamaged(file)) throw new ApiProblem(409, DAMAGED, file.processing.error ?? '');
  save(`/api/v1/files/${encodeURIComponent(id)}/download`, name);
}

/** Downloads items as one ZIP file by navigation; the browser shows its progress and can resume it. */
export async function downloadArchive(items: Item[]) {
  if (items.length > MAX_ARCHIVED) throw new ApiProblem(422, 'archive-too-large', '');
  const archive = await dataOf(api.POST('/api/v1/archives', { body: { ids: items.map(({ id }) => id) } }));
  save(archive.url, archive.name);
  return archive;
}

function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** The outcome of an action on several items. */
export interface Outcome {
  done: Item[];
  failed: Item[];
  reason: unknown;
}

const AT_ONCE = 4;

/** Runs an action on several items, a few at a time; a failure does not stop the rest. */
export async function forEach(items: Item[], act: (item: Item) => Promise<void>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [], reason: null };
  const rest = [...items];
  const work = async () => {
    for (let item = rest.shift(); item; item = rest.shift()) {
      try {
        await act(item);
        outcome.done.push(item);
      } catch (error) {
        outcome.failed.push(item);
        outcome.reason = error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return outcome;
}
