/** What the server's errors mean for an upload. */
import { ApiProblem, isProblem } from '@/api/problem';
import type { ProblemCode } from '@/api/types';
import { type FaultKind, UploadFault } from './types';

/** Problem codes that have a text of their own in the upload panel. */
const BY_CODE: Partial<Record<ProblemCode, FaultKind>> = {
  'quota-exceeded': 'quota',
  'file-too-large': 'too-large',
  'body-too-large': 'too-large',
  'storage-full': 'storage-full',
  'invalid-name': 'name',
  'invalid-path': 'name',
  'path-too-deep': 'name',
};
/** For responses of a proxy that carry no code. */
const BY_STATUS: Record<number, FaultKind> = { 401: 'signed-out', 413: 'too-large', 507: 'storage-full' };
/** Input fields that the user chose by naming the file or folder. */
const NAMING_FIELDS = ['name', 'path'];

/** Whether the server no longer has the upload: unknown, ended or expired. */
export function isGone(error: unknown): boolean {
  return isProblem(error, 404, 409, 410);
}

/** Returns the fault for `error`. */
export function faultOf(error: unknown): UploadFault {
  if (error instanceof UploadFault) return error;
  if (!(error instanceof ApiProblem)) return new UploadFault('refused', error);
  const kind = BY_CODE[error.code as ProblemCode] ?? BY_STATUS[error.status];
  if (kind) return new UploadFault(kind, error);
  const namesField = error.errors.some(({ field }) => NAMING_FIELDS.includes(field));
  return new UploadFault(error.code === 'validation-failed' && namesField ? 'name' : 'refused', error);
}
