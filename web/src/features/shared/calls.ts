/** API calls of visitors of a share link. Their grant is a cookie that only these routes get. */
import { api, dataOf } from '@/api/client';
import { ApiProblem } from '@/api/problem';
import type { FileItem, Item, Listing, Preview, SharedLink, Stream, Visit } from '@/api/types';
import { DAMAGED, isDamaged } from '@/components/damage';

const PAGE = 100;

/** Returns what a link leads to; never counts as an access. */
export function describe(token: string, signal: AbortSignal): Promise<SharedLink> {
  return dataOf(api.GET('/api/v1/share-links/token/{token}', { params: { path: { token } }, signal }));
}

/** Opens a link, which counts one access, unless the browser still has a grant. */
export function open(token: string, password: string | null): Promise<Visit> {
  return dataOf(
    api.POST('/api/v1/share-links/token/{token}/access', {
      params: { path: { token } },
      body: password === null ? {} : { password },
    }),
  );
}

/** Lists one page of the shared folder, or of one below it. */
export function list(
  token: string,
  parentId: string | null,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Listing> {
  const query = { limit: PAGE, ...(parentId ? { parentId } : {}), ...(cursor ? { cursor } : {}) };
  return dataOf(
    api.GET('/api/v1/share-links/token/{token}/items', { params: { path: { token }, query }, signal }),
  );
}

/** Returns a file or folder. */
export function item(token: string, id: string, signal?: AbortSignal): Promise<Item> {
  return dataOf(api.GET('/api/v1/share-links/token/{token}/items/{item_id}', at(token, id, signal)));
}

/** Returns what can be shown of a file. */
export function preview(token: string, id: string, signal: AbortSignal): Promise<Preview> {
  return dataOf(api.GET('/api/v1/share-links/token/{token}/items/{item_id}/preview', at(token, id, signal)));
}

/** Returns where a film or audio file streams from. */
export function stream(token: string, id: string, signal: AbortSignal): Promise<Stream> {
  return dataOf(api.GET('/api/v1/share-links/token/{token}/items/{item_id}/stream', at(token, id, signal)));
}

/**
 * Downloads a file by navigation. The file is fetched first, which renews the grant and reports problems: a navigation
 * that fails would show an error page.
 */
export async function download(token: string, { id, name }: FileItem): Promise<void> {
  const file = await item(token, id);
  if (isDamaged(file)) throw new ApiProblem(409, DAMAGED, '');
  const link = document.createElement('a');
  link.href = `/api/v1/share-links/token/${encodeURIComponent(token)}/items/${encodeURIComponent(id)}/download`;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

function at(token: string, id: string, signal?: AbortSignal) {
  return { params: { path: { token, item_id: id } }, ...(signal ? { signal } : {}) };
}
