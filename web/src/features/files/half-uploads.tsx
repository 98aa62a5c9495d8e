import { createContext, useContext } from 'react';

/** What the list wants to know and do about files that are half uploaded; the app connects it to the uploads. */
export interface HalfUploads {
  /** Percent sent, when this page is uploading the file right now. A hook. */
  usePercent: (fileId: string) => number | null;
  resume: (fileId: string) => void;
  cancel: (fileId: string) => void;
}

const Context = createContext<HalfUploads>({ usePercent: () => null, resume: () => {}, cancel: () => {} });

/** Gives the lists below their connection to the uploads. */
export const HalfUploadsProvider = Context.Provider;

/** The connection to the uploads. */
export const useHalfUploads = () => useContext(Context);
