import { createContext, useContext } from 'react';

/** What lists need to know and do about unfinished uploads; the app connects it to the uploads feature. */
export interface UnfinishedUploads {
  /** A hook: the percentage sent, while this page uploads the file. */
  usePercent: (fileId: string) => number | null;
  resume: (fileId: string) => void;
  cancel: (fileId: string) => void;
}

const Context = createContext<UnfinishedUploads>({
  usePercent: () => null,
  resume: () => {},
  cancel: () => {},
});

/** Provides the connection to the uploads feature. */
export const UnfinishedUploadsProvider = Context.Provider;

/** Returns the connection to the uploads feature. */
export const useUnfinishedUploads = () => useContext(Context);
