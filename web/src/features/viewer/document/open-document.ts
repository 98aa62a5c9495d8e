/** Opening a PDF with pdf.js: nothing but data in it is used, no script in it runs. */
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';
import { Ranges, type Renew } from './ranges';

export type { PDFDocumentProxy as Document };

GlobalWorkerOptions.workerSrc = workerUrl;

/** Where character maps, the standard fonts and decoders lie: among our own files. */
const OWN = new URL(import.meta.env.VITE_PDFJS, location.href).href;

/** A document being opened. */
export interface Opening {
  document: Promise<PDFDocumentProxy>;
  close: () => void;
}

/** Opens the document of `size` bytes at a presigned URL; only what is looked at is read. */
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
  // Whoever waits for the document hears of it; later failures show at the pages.
  failed.catch(() => undefined);
  return {
    document: Promise.race([task.promise, failed]),
    close: () => {
      range.abort();
      void task.destroy().catch(() => undefined);
    },
  };
}

/** Whether opening was refused for want of a password. */
export function wantsPassword(error: unknown): boolean {
  return error instanceof Error && error.name === 'PasswordException';
}
