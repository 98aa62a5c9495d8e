/** Opens PDFs with pdf.js; scripts in them do not run. */
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';
import { Ranges, type Renew } from './ranges';

export type { PDFDocumentProxy as Document };

GlobalWorkerOptions.workerSrc = workerUrl;

/** The location of character maps, standard fonts and decoders, which we serve ourselves. */
const OWN = new URL(import.meta.env.VITE_PDFJS, location.href).href;

/** A document being opened. */
export interface Opening {
  document: Promise<PDFDocumentProxy>;
  close: () => void;
}

/** Opens the document of `size` bytes at a presigned URL; only the shown pages are fetched. */
export function openDocument(url: string, size: number, renew: Renew): Opening {
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const range = new Ranges(url, size, renew, (error) => fail(error));
  const task = getDocument({
    range,
    rangeChunkSize: 2 ** 17,
    disableAutoFetch: true,
    disableStream: true,
    cMapUrl: `${OWN}cmaps/`,
    standardFontDataUrl: `${OWN}standard_fonts/`,
    iccUrl: `${OWN}iccs/`,
    wasmUrl: `${OWN}wasm/`,
    enableXfa: false,
    verbosity: 0,
  });
  // The caller gets this error; later failures show at the pages.
  failed.catch(() => undefined);
  return {
    document: Promise.race([task.promise, failed]),
    close: () => {
      range.abort();
      void task.destroy().catch(() => undefined);
    },
  };
}

/** Whether opening failed because the document needs a password. */
export function wantsPassword(error: unknown): boolean {
  return error instanceof Error && error.name === 'PasswordException';
}
