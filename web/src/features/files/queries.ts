/** Queries for folders, search and the trash. */
import { infiniteQueryOptions, type QueryClient } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import type { Item, Listing, SearchResults } from '@/api/types';
import type { SortKey } from './model/preferences';

const PAGE = 100;

/** One folder (`null` is the root), page by page. */
export function folderQuery(parentId: string | null, sort: SortKey, order: 'asc' | 'desc') {
  return infiniteQueryOptions({
    queryKey: ['files', 'folder', parentId, sort, order],
    queryFn: ({ pageParam, signal }): Promise<Listing> =>
      dataOf(
        api.GET('/api/v1/files', {
          params: {
            query: { ...(parentId ? { parentId } : {}), sort, order, limit: PAGE, ...cursorOf(pageParam) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
  });
}

/** The trash, page by page. */
export const trashQuery = infiniteQueryOptions({
  queryKey: ['files', 'trash'],
  queryFn: ({ pageParam, signal }) =>
    dataOf(api.GET('/api/v1/trash', { params: { query: { limit: PAGE, ...cursorOf(pageParam) } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor ?? null,
});

/** The types that a search can be limited to. */
export const SEARCH_TYPES = ['folder', 'image', 'video', 'audio', 'document', 'archive'] as const;

/** One of `SEARCH_TYPES`. */
export type SearchType = (typeof SEARCH_TYPES)[number];

/** Search results by words of names, page by page. */
export function searchQuery(q: string, type: SearchType | null) {
  return infiniteQueryOptions({
    queryKey: ['files', 'search', q, type],
    queryFn: ({ pageParam, signal }): Promise<SearchResults> =>
      dataOf(
        api.GET('/api/v1/search', {
          params: { query: { q, ...(type ? { type } : {}), limit: PAGE, ...cursorOf(pageParam) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
  });
}

/** Returns the subfolders of a folder, for choosing a target. */
export async function subfolders(parentId: string | null): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Listing = await dataOf(
      api.GET('/api/v1/files', {
        params: {
          query: {
            ...(parentId ? { parentId } : {}),
            sort: 'name',
            order: 'asc',
            limit: 200,
            ...cursorOf(cursor),
          },
        },
      }),
    );
    const folders = page.items.filter(({ kind }) => kind === 'folder');
    found.push(...folders);
    cursor = folders.length === page.items.length ? (page.nextCursor ?? null) : null;
  } while (cursor);
  return found;
}

/** Refetches everything that shows files. */
export function refreshFiles(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['files'] });
}

/** Refetches searches. */
export function refreshSearches(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['files', 'search'] });
}

function cursorOf(cursor: string | null): { cursor?: string } {
  return cursor ? { cursor } : {};
}
