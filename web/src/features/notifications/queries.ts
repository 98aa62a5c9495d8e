/** Queries for notifications, and marking them as read. */
import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import type { Notice } from '@/api/types';
import { notifyTabs } from '@/lib/tabs';

/** One page, with the total number of unread ones. */
export interface NoticePage {
  items: Notice[];
  nextCursor?: string | null;
  unreadCount: number;
}

/** The message to other tabs when notifications were read in this one. */
export const NOTICES_READ = 'notices-read';

type Pages = InfiniteData<NoticePage, string | null>;

/** All notifications, latest first. */
export const noticesQuery = infiniteQueryOptions({
  queryKey: ['notifications'],
  queryFn: ({ pageParam, signal }): Promise<NoticePage> =>
    dataOf(
      api.GET('/api/v1/notifications', {
        params: { query: { limit: 30, ...(pageParam ? { cursor: pageParam } : {}) } },
        signal,
      }),
    ),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor ?? null,
  staleTime: 60_000,
  // They may have been read on another device.
  refetchOnWindowFocus: 'always',
});

/** A first page longer than this is fetched anew, instead of growing by every live notification. */
const LONGEST_PAGE = 200;

/** Adds live notifications (latest first) at the top. `false` if the list must be fetched instead. */
export function addNotices(queries: QueryClient, notices: Notice[]): boolean {
  let added = false;
  queries.setQueryData<Pages>(noticesQuery.queryKey, (data) => {
    const [first, ...rest] = data?.pages ?? [];
    const ids = new Set(notices.map(({ id }) => id));
    const isListed = data?.pages.some(({ items }) => items.some(({ id }) => ids.has(id)));
    if (!data || !first || isListed || first.items.length + notices.length > LONGEST_PAGE) return data;
    added = true;
    const page = {
      ...first,
      items: [...notices, ...first.items],
      unreadCount: first.unreadCount + notices.filter(({ readAt }) => !readAt).length,
    };
    return { ...data, pages: [page, ...rest] };
  });
  return added;
}

/** Marks one notification as read, or all for `null`; optimistic. */
export function useMarkRead() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string | null) => {
      if (id === null) await dataOf(api.POST('/api/v1/notifications/read-all'));
      else {
        await dataOf(
          api.POST('/api/v1/notifications/{notification_id}/read', {
            params: { path: { notification_id: id } },
          }),
        );
      }
    },
    onMutate: async (id) => {
      await queries.cancelQueries({ queryKey: noticesQuery.queryKey });
      queries.setQueryData<Pages>(noticesQuery.queryKey, (data) => data && markRead(data, id));
    },
    onSuccess: () => notifyTabs(NOTICES_READ),
    onSettled: () => queries.invalidateQueries({ queryKey: noticesQuery.queryKey }),
  });
}

/** Returns the pages with one notification (`null`: all) marked as read. */
export function markRead(data: Pages, id: string | null): Pages {
  const matches = (notice: Notice) => !notice.readAt && (id === null || notice.id === id);
  const changed = data.pages.flatMap(({ items }) => items.filter(matches)).length;
  const readAt = new Date().toISOString();
  return {
    ...data,
    pages: data.pages.map((page) => ({
      ...page,
      unreadCount: id === null ? 0 : Math.max(0, page.unreadCount - changed),
      items: page.items.map((notice) => (matches(notice) ? { ...notice, readAt } : notice)),
    })),
  };
}
