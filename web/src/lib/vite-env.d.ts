interface ImportMetaEnv {
  /** The location of pdf.js's assets. */
  readonly VITE_PDFJS: string;
}
