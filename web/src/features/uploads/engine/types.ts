/** What an upload is to the screen. */

/** Where an upload stands; see `status.ts` for the moves between them. */
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

/** An upload's end that needs the user. */
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

/** A file's identity as far as a browser tells it. `lastModified` is `null` when it is not known. */
export interface FileMark {
  name: string;
  size: number;
  lastModified: number | null;
}

/** One row of the upload panel; replaced, never changed, when something happens. */
export interface UploadItem extends FileMark {
  /** Ours, for the life of the page. */
  id: string;
  /** The folder that the file goes to. */
  path: string;
  status: UploadStatus;
  fault: { kind: FaultKind; error: unknown } | null;
  /** Bytes that the server has or is getting. */
  sent: number;
  /** Whether the object store did not respond, so that `sent` is unknown. */
  storeUnavailable: boolean;
  /** Bytes a second over the last seconds. */
  speed: number;
  uploadId: string | null;
  fileId: string | null;
  /** The name that the file got in the drive; differs from `name` when that was taken. */
  storedName: string | null;
  /** Whether we can read the file without asking the user for it. */
  readable: boolean;
}
