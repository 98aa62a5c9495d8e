interface ImportMetaEnv {
  /** Where pdf.js finds its own files. */
  readonly VITE_PDFJS: string;
}
