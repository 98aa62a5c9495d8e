/** The current folder, which new items are added to. */
import { create } from 'zustand';
import type { Place } from '@/features/files';

/** The current place; `title` names a page that is not a folder. */
export interface CurrentPlace extends Place {
  title?: string;
}

/** The root, which new items are added to when no folder is open. */
export const ROOT: CurrentPlace = { id: null, path: '/', name: '' };

/** The current place. */
export const usePlace = create<CurrentPlace>(() => ROOT);

/** The name of the viewed file, if any. */
export const useViewed = create<{ name: string | null }>(() => ({ name: null }));

/** Sets the viewed file. */
export function setViewed(name: string | null): void {
  useViewed.setState({ name });
}

/** Sets the current place. */
export function setPlace(place: CurrentPlace): void {
  usePlace.setState(place, true);
}
