/** The types of an upload in the panel. */

/** The status of an upload; see `status.ts` for the transitions. */
export type UploadStatus =
  | 'queued'
  | 'uploading'
  | 'paused'
  | 'waiting'
  | 'completing'
  | 'done'
  | 'error'
  | 'interrupted';

/** Why an upload stopped; `refused` stands for every other error, which is kept with it. */
export type FaultKind =
  | 'quota'
  | 'too-large'
  | 'storage-full'
  | 'file-changed'
  | 'other-file'
  | 'signed-out'
  | 'name'
  | 'gone'
  | 'finished'
  | 'elsewhere'
  | 'refused';

/** A failed upload that needs the user. */
export class UploadFault extends Error {
  override name = 'UploadFault';

  constructor(
    readonly kind: FaultKind,
    /** The error behind a refusal, for its text. */
    readonly error: unknown = null,
  ) {
    super(kind);
  }
}

/** What identifies a file in the browser. `lastModified` is `null` when unknown. */
export interface FileMark {
  name: string;
  size: number;
  lastModified: number | null;
}

/** A row of the upload panel; immutable. */
export interface UploadItem extends FileMark {
  /** Unique within the page. */
  id: string;
  /** The target folder. */
  path: string;
  status: UploadStatus;
  fault: { kind: FaultKind; error: unknown } | null;
  /** Bytes stored or in flight. */
  sent: number;
  /** Whether the object store did not respond, so that `sent` is unknown. */
  storeUnavailable: boolean;
  /** Bytes per second over the last seconds. */
  speed: number;
  uploadId: string | null;
  fileId: string | null;
  /** The file's name in the drive; differs from `name` if that was taken. */
  storedName: string | null;
  /** Whether the file can be read without asking the user. */
  readable: boolean;
}
