/** What the page shows a list of, so that the viewer can go from one file to the next. */
import { create } from 'zustand';
import type { Listed } from '@/features/files';

/** The list behind the viewer. */
export const useListed = create<Listed>(() => ({ items: [], loadMore: null }));

/** Notes what is listed now. */
export function setListed(listed: Listed): void {
  useListed.setState(listed, true);
}
