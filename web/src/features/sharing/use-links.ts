import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ShareLink } from '@/api/types';
import { linksQuery } from './queries';

/** A list of links, loaded page by page. */
export interface Links {
  /** The links so far; `undefined` while there are none because of loading or an error. */
  items: ShareLink[] | undefined;
  error: unknown;
  retry: () => void;
  more: (() => void) | null;
  loadingMore: boolean;
}

/** Returns the user's links, or those to one file or folder. */
export function useLinks(resourceId: string | null): Links {
  const query = useInfiniteQuery(linksQuery(resourceId));
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items), [query.data]);
  return {
    items,
    error: query.error,
    retry: () => void query.refetch(),
    more: query.hasNextPage ? () => void query.fetchNextPage() : null,
    loadingMore: query.isFetchingNextPage,
  };
}
