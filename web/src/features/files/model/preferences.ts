/** The user's preferences for lists, stored in the browser. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';

/** The sort keys of a folder. */
export type SortKey = 'name' | 'size' | 'updatedAt';

interface Preferences {
  view: 'list' | 'grid';
  sort: SortKey;
  order: 'asc' | 'desc';
}

/** The preferences. */
export const usePreferences = create<Preferences>()(
  persist((): Preferences => ({ view: 'list', sort: 'name', order: 'asc' }), { name: 'metastore.files' }),
);

/** Shows lists as rows or as tiles. */
export function setView(view: Preferences['view']): void {
  usePreferences.setState({ view });
}

/** Sorts by a key; the same key again reverses the order. Sizes and dates start descending. */
export function sortBy(sort: SortKey): void {
  usePreferences.setState((now) => {
    if (now.sort === sort) return { order: now.order === 'asc' ? 'desc' : 'asc' };
    return { sort, order: sort === 'name' ? 'asc' : 'desc' };
  });
}
