/** Which files of a list can be gone through in the viewer, and which are beside the one that is looked at. */
import type { FileItem, Item } from '@/api/types';
import { type FileFamily, familyOf } from '@/lib/file-family';

const SHOWN: FileFamily[] = ['video', 'image', 'audio', 'pdf', 'code', 'text'];

/** Where a file stands among those that can be looked at; `at` counts from 1, and is 0 when it is not among them. */
export interface Place {
  previous: FileItem | null;
  next: FileItem | null;
  at: number;
  count: number;
}

/** Whether there is likely something to see of a file of the list. */
export function isViewable(item: Item): item is FileItem {
  if (item.kind !== 'file' || item.status === 'UPLOADING') return false;
  return Boolean(item.thumbnailUrl) || SHOWN.includes(familyOf(item.name, item.mimeType));
}

/** The neighbours of a file in a list's order; of a file that shows nothing too, as it was opened from there. */
export function placeOf(fileId: string, items: Item[]): Place {
  const shown = items.filter((item): item is FileItem => isViewable(item) || item.id === fileId);
  const index = shown.findIndex(({ id }) => id === fileId);
  if (index < 0) return { previous: null, next: null, at: 0, count: shown.length };
  return {
    previous: shown[index - 1] ?? null,
    next: shown[index + 1] ?? null,
    at: index + 1,
    count: shown.length,
  };
}
