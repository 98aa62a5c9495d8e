/** Files whose stored bytes are known to be lost or changed. */
import type { Item } from '@/api/types';

/** What the server calls it when it refuses to give such a file out. */
export const DAMAGED = 'file-damaged';

/** Whether a check of the store found that the file's bytes are not what they were. */
export function isDamaged(item: Item): boolean {
  return item.kind === 'file' && item.status === 'FAILED' && item.processing?.step === 'storage';
}
