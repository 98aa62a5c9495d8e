import { useEffect } from 'react';
import type { Item } from '@/api/types';

/** The items of a list in their order, for stepping through them. */
export interface Listed {
  items: Item[];
  /** Loads the next page of the list, if any. */
  loadMore: (() => void) | null;
}

/** Receives the items of a list. */
export type OnListed = (listed: Listed) => void;

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Reports the items of a list whenever they change. */
export function useListed(onListed: OnListed, items: Item[], pages: Pages): void {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = hasNextPage && !isFetchingNextPage;
  useEffect(() => {
    onListed({ items, loadMore: more ? () => void fetchNextPage() : null });
  }, [onListed, items, more, fetchNextPage]);
}
