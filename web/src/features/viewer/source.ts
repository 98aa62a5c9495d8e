/** Where the viewer gets files from, so that it does not know whether it shows a drive's or a share link's. */
import { createContext, useContext } from 'react';
import type { FileItem, Preview, Stream } from '@/api/types';

/** The files that a viewer can show, and what may be done with them. */
export interface ViewerSource {
  /** The beginning of the keys of its queries. */
  key: readonly string[];
  /** Under which playback positions are stored in the browser. */
  positionsOf: string;
  /** The name of the topmost folder. */
  root: string;
  /** Downloads a file; `null` where that is not permitted. */
  download: ((file: FileItem) => void) | null;
  /** Retries a failed processing; `null` where that is not permitted. */
  retry: ((file: FileItem) => void) | null;
  /** Fetches a file. */
  file: (fileId: string, signal: AbortSignal) => Promise<FileItem>;
  /** Fetches what can be shown of a file, with URLs that expire. */
  preview: (fileId: string, signal: AbortSignal) => Promise<Preview>;
  /** Fetches where a film or audio file streams from; fails with `not-playable` until something can be played. */
  stream: (fileId: string, signal: AbortSignal) => Promise<Stream>;
}

/** The context through which the viewer's parts reach the source. */
export const ViewerSourceContext = createContext<ViewerSource | null>(null);

/** Returns the viewer's source. */
export function useViewerSource(): ViewerSource {
  const source = useContext(ViewerSourceContext);
  if (!source) throw new Error('The viewer has no source');
  return source;
}

/** Returns what downloads the file, or nothing where that is not permitted. */
export function useDownload(file: FileItem): (() => void) | undefined {
  const { download } = useViewerSource();
  return download ? () => download(file) : undefined;
}
