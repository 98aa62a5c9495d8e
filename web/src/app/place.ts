/** The folder that the user is in: new things go there. */
import { create } from 'zustand';
import type { Place } from '@/features/files';

/** Where the user is; `title` names a page that is no folder. */
export interface Here extends Place {
  title?: string;
}

/** The root, where new things go when no folder is open. */
export const ROOT: Here = { id: null, path: '/', name: '' };

/** Where the user is. */
export const usePlace = create<Here>(() => ROOT);

/** The name of the file that is looked at, if any. */
export const useViewed = create<{ name: string | null }>(() => ({ name: null }));

/** Notes what is looked at. */
export function setViewed(name: string | null): void {
  useViewed.setState({ name });
}

/** Notes where the user is. */
export function setPlace(place: Here): void {
  usePlace.setState(place, true);
}
