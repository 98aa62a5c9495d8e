/** The body of a batch: `multipart/form-data` (RFC 7578). */
import { randomKey } from '@/lib/ids';
import { nameFault } from '@/lib/names';

/** A file of a batch, in memory: a retry must send the same bytes, and the file may change meanwhile. */
export interface BatchFile {
  /** Its path below the folder of the batch. */
  name: string;
  mimeType: string;
  bytes: ArrayBuffer;
}

/** Files for a folder, sent in one request. */
export interface BatchRequest {
  /** The folder's path from the root. */
  folder: string;
  files: BatchFile[];
}

/** Returns the body. Its type names the boundary. */
export function batchBody({ folder, files }: BatchRequest): Blob {
  const boundary = `metastore-${randomKey()}`;
  const start = (disposition: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const parts: BlobPart[] = [`${start('name="path"')}\r\n${folder}\r\n`];
  for (const { name, mimeType, bytes } of files) {
    parts.push(`${start(`name="file"; filename="${name}"`)}Content-Type: ${mimeType}\r\n\r\n`, bytes, '\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}

/** A quotation mark, and how the server expects it: we write neither, since a name may also contain the latter. */
const AMBIGUOUS = /"|%22/;

/** Whether a file can be named in a batch; one malformed name would make the whole request malformed. */
export function fitsInBatch(folder: string, name: string): boolean {
  return [...folder.split('/').filter(Boolean), name].every((one) => !nameFault(one) && !AMBIGUOUS.test(one));
}

/** Returns the path of the deepest folder that contains all these. */
export function commonFolder(folders: string[]): string {
  const [first = [], ...others] = folders.map((folder) => folder.split('/').filter(Boolean));
  let length = first.length;
  for (const other of others) {
    const differs = first.findIndex((name, index) => other[index] !== name);
    if (differs >= 0) length = Math.min(length, differs);
  }
  return `/${first.slice(0, length).join('/')}`;
}

/** Returns a file's path below `folder`, which contains it. */
export function pathBelow(folder: string, path: string, name: string): string {
  return `${path}/${name}`.replace(/^\/+/, '/').slice(folder === '/' ? 1 : folder.length + 1);
}
