/** Matches chosen files with unfinished uploads. */
import type { UnfinishedUpload } from '@/api/types';
import { normalName } from '@/lib/names';
import type { RememberedFile } from './memory';
import type { FileMark, UploadItem } from './types';

/** Whether two files have the same name and size and, if known, the same date. */
export function sameFile(a: FileMark, b: FileMark): boolean {
  const dated = a.lastModified !== null && b.lastModified !== null;
  return (
    normalName(a.name) === normalName(b.name) &&
    a.size === b.size &&
    (!dated || a.lastModified === b.lastModified)
  );
}

/** Returns the row of an unfinished upload. `remembered` is what this browser stored about it. */
export function interruptedItem(
  id: string,
  upload: UnfinishedUpload,
  remembered: RememberedFile | undefined,
): UploadItem {
  return {
    id,
    name: remembered?.name ?? upload.name,
    size: upload.size,
    lastModified: remembered?.lastModified ?? null,
    path: upload.path,
    status: 'interrupted',
    fault: null,
    sent: upload.receivedBytes ?? 0,
    storeUnavailable: upload.receivedBytes === null,
    speed: 0,
    uploadId: upload.uploadId,
    fileId: upload.fileId,
    storedName: upload.name,
    readable: Boolean(remembered?.handle),
  };
}

/** Finds the unfinished item that a chosen file belongs to, among any number of them. */
export class UnfinishedIndex {
  readonly #byPlace = new Map<string, UploadItem[]>();

  constructor(items: UploadItem[]) {
    for (const item of items) if (item.status !== 'done') this.add(item);
  }

  /** Adds an item. */
  add(item: UploadItem): void {
    const key = placeKey(item.path, item.name);
    this.#byPlace.set(key, [...(this.#byPlace.get(key) ?? []), item]);
  }

  /** Returns the item of the same file for the same folder. */
  find(mark: FileMark, path: string): UploadItem | undefined {
    return this.#byPlace.get(placeKey(path, mark.name))?.find((item) => sameFile(item, mark));
  }
}

function placeKey(path: string, name: string): string {
  return `${path}/${normalName(name)}`;
}
