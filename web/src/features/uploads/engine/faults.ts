/** What the server's refusals mean for an upload. */
import { ApiProblem, isProblem } from '@/api/problem';
import { type FaultKind, UploadFault } from './types';

/** Codes of refusals that the screen has words of its own for. */
const BY_CODE: Record<string, FaultKind> = {
  'quota-exceeded': 'quota',
  'file-too-large': 'too-large',
  'too-large': 'too-large',
  'storage-full': 'storage-full',
};
const BY_STATUS: Record<number, FaultKind> = { 401: 'signed-out', 413: 'too-large', 507: 'storage-full' };

/** Statuses that say an upload is no more: unknown, ended or expired. */
export function isGone(error: unknown): boolean {
  return isProblem(error, 404, 409, 410);
}

/** The fault that `error` amounts to. */
export function faultOf(error: unknown): UploadFault {
  if (error instanceof UploadFault) return error;
  if (!(error instanceof ApiProblem))
    return new UploadFault('refused', error instanceof Error ? error.message : '');
  const kind = BY_CODE[error.code] ?? BY_STATUS[error.status];
  if (kind) return new UploadFault(kind, error.detail);
  const named = error.errors.some(({ field }) => /name|path/.test(field)) || /name|path/.test(error.code);
  return new UploadFault(error.status === 422 && named ? 'name' : 'refused', error.detail);
}
