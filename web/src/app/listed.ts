/** The list that the page shows, so that the viewer can step through its files. */
import { create } from 'zustand';
import type { Listed } from '@/features/files';

/** The list below the viewer. */
export const useListed = create<Listed>(() => ({ items: [], loadMore: null }));

/** Sets the list. */
export function setListed(listed: Listed): void {
  useListed.setState(listed, true);
}
