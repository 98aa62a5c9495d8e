/** The uploads of this page: one manager with the real server, and the store that the screen reads. */
import type { FileItem } from '@/api/types';
import { browserClaims } from './engine/claims';
import { UploadManager } from './engine/manager';
import { browserMemory } from './engine/memory';
import { PartSlots } from './engine/part-slots';
import { sendBatch } from './engine/send-batch';
import { sendPart } from './engine/send-part';
import { uploadServer } from './engine/server';
import { createUploadStore, oncePerState, rowsOf } from './engine/store';
import { type Totals, totalsOf } from './engine/totals';
import type { UploadItem } from './engine/types';

/** Smaller files are uploaded in batches. */
const BATCH_BELOW = 1024 * 1024;

type OnChange = (stored: FileItem | null) => void;

let onChange: OnChange = () => {};

/** Sets the callback for a stored file (passed to it), or a changed listing of unfinished uploads. */
export function whenUploadsChange(handler: OnChange): void {
  onChange = handler;
}

/** Reports that the listing was changed by something other than an upload. */
export function listingChanged(): void {
  onChange(null);
}

/** The rows of the panel. */
export const useUploads = createUploadStore();

/** Adds, pauses, resumes and cancels uploads. */
export const uploads = new UploadManager({
  server: uploadServer,
  sendPart,
  sendBatch,
  batchBelow: BATCH_BELOW,
  slots: new PartSlots(),
  store: useUploads,
  memory: browserMemory,
  claims: browserClaims,
  onChange: (stored) => onChange(stored),
});

const totals = oncePerState((rows) => totalsOf(rowsOf(rows)));
const byFile = oncePerState(({ items }) => {
  const found = new Map<string, UploadItem>();
  for (const item of Object.values(items)) if (item.fileId) found.set(item.fileId, item);
  return found;
});

/** Returns the totals of all uploads. */
export function useTotals(): Totals {
  return useUploads(totals);
}

/** Returns whether closing the page would interrupt an upload. */
export function useUploadsActive(): boolean {
  return useUploads((rows) => totals(rows).active > 0);
}

/** Returns the row of an unfinished file of the listing, if there is one. */
export function useUploadOfFile(fileId: string): UploadItem | undefined {
  return useUploads((rows) => byFile(rows).get(fileId));
}

/** Returns the sent share (0 to 1, in whole percent) of all uploads while any are active. */
export function useUploadShare(): number | null {
  return useUploads((rows) => {
    const { active, share } = totals(rows);
    return active ? Math.floor(share * 100) / 100 : null;
  });
}
