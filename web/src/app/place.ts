/** The folder that the user is in: new things go there. */
import { create } from 'zustand';
import type { Place } from '@/features/files';

/** The root, where one is before any folder is open. */
export const ROOT: Place = { id: null, path: '/', name: '' };

/** Where the user is. */
export const usePlace = create<Place>(() => ROOT);

/** Notes where the user is. */
export function setPlace(place: Place): void {
  usePlace.setState(place, true);
}
