/** The files of a list that the viewer can show, and those next to the viewed one. */
import type { FileItem, Item } from '@/api/types';
import { type FileFamily, familyOf } from '@/lib/file-family';

const VIEWABLE: FileFamily[] = ['video', 'image', 'audio', 'pdf', 'code', 'text'];

/** A file's position among the viewable ones; `at` counts from 1 and is 0 when it is not among them. */
export interface Place {
  previous: FileItem | null;
  next: FileItem | null;
  at: number;
  count: number;
}

/** Whether the viewer can probably show a listed file. */
export function isViewable(item: Item): item is FileItem {
  if (item.kind !== 'file' || item.status === 'UPLOADING') return false;
  return Boolean(item.thumbnailUrl) || VIEWABLE.includes(familyOf(item.name, item.mimeType));
}

/** Returns a file's neighbours in the list's order, including for a file that cannot be shown. */
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
