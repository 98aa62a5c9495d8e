/** Queries for share links, and calls that change them. */
import { infiniteQueryOptions, type QueryClient } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import type { NewShareLink, ShareLink, ShareLinkChanges } from '@/api/types';
import { randomKey } from '@/lib/ids';

const PAGE = 50;
const ACCESSES = 20;
const KEY = ['share-links'];

/** The user's links, or those to one file or folder, latest first. */
export function linksQuery(resourceId: string | null) {
  return infiniteQueryOptions({
    queryKey: [...KEY, resourceId],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...(resourceId ? { resourceId } : {}), ...cursorOf(pageParam) };
      return dataOf(api.GET('/api/v1/share-links', { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
  });
}

/** What visitors of a link did, latest first. */
export function accessesQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['share-link-accesses', id],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api.GET('/api/v1/share-links/{link_id}/accesses', {
          params: { path: { link_id: id }, query: { limit: ACCESSES, ...cursorOf(pageParam) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
    staleTime: 0,
  });
}

/** Refetches all lists of links. */
export function refreshLinks(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: KEY });
}

/** Creates a link. */
export function createLink(body: NewShareLink): Promise<ShareLink> {
  return dataOf(api.POST('/api/v1/share-links', { body, headers: { 'Idempotency-Key': randomKey() } }));
}

/** Changes a link. */
export function changeLink(id: string, body: ShareLinkChanges): Promise<ShareLink> {
  return dataOf(api.PATCH('/api/v1/share-links/{link_id}', { ...at(id), body }));
}

/** Gives a link a new address. */
export function rotateLink(id: string): Promise<ShareLink> {
  return dataOf(
    api.POST('/api/v1/share-links/{link_id}/rotate', {
      ...at(id),
      headers: { 'Idempotency-Key': randomKey() },
    }),
  );
}

/** Revokes a link for good. */
export async function revokeLink(id: string): Promise<void> {
  await dataOf(api.DELETE('/api/v1/share-links/{link_id}', at(id)));
}

function at(id: string) {
  return { params: { path: { link_id: id } } };
}

function cursorOf(cursor: string | null): { cursor?: string } {
  return cursor ? { cursor } : {};
}
