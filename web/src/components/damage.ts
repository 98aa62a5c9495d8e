/** Files whose stored bytes are known to be lost or changed. */
import type { Item, ProblemCode, ReasonCode } from '@/api/types';

/** The problem code of a request for the bytes of such a file. */
export const DAMAGED: ProblemCode = 'file-damaged';
const BYTES_DAMAGED: ReasonCode = 'bytes-damaged';

/** Whether a check of the store found that the file's bytes are lost or changed. */
export function isDamaged(item: Item): boolean {
  return item.kind === 'file' && item.status === 'FAILED' && item.processing?.reasonCode === BYTES_DAMAGED;
}
