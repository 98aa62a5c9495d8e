import { useEffect } from 'react';
import type { Item } from '@/api/types';

/** What a list shows, in its order, for whoever goes through it from one to the next. */
export interface Listed {
  items: Item[];
  /** Brings the next page of the list, where there is one. */
  loadMore: (() => void) | null;
}

/** Takes what a list shows now. */
export type OnListed = (listed: Listed) => void;

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Tells what a list shows, whenever that changes. */
export function useListed(tell: OnListed, items: Item[], pages: Pages): void {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = hasNextPage && !isFetchingNextPage;
  useEffect(() => {
    tell({ items, loadMore: more ? () => void fetchNextPage() : null });
  }, [tell, items, more, fetchNextPage]);
}
