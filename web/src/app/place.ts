/** The current folder, which new items are added to. */
import { create } from 'zustand';
import type { Place } from '@/features/files';

/** The current place; `title` names a page that is not a folder. */
export interface Here extends Place {
  title?: string;
}

/** The root, which new items are added to when no folder is open. */
export const ROOT: Here = { id: null, path: '/', name: '' };

/** The current place. */
export const usePlace = create<Here>(() => ROOT);

/** The name of the viewed file, if any. */
export const useViewed = create<{ name: string | null }>(() => ({ name: null }));

/** Sets the viewed file. */
export function setViewed(name: string | null): void {
  useViewed.setState({ name });
}

/** Sets the current place. */
export function setPlace(place: Here): void {
  usePlace.setState(place, true);
}
