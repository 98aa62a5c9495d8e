import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { renewSession, whenSessionEnds } from '@/api/transport';
import { forgetProgress, noteProgress } from '@/components/file-progress';
import { refreshFiles, refreshSearches } from '@/features/files';
import { uploads, whenUploadsChange } from '@/features/uploads';
import { onRealtime, openRealtime } from '@/lib/realtime';

/** Changes are shown soon, and a stream of them once in a while. */
const SOON_MS = 200;
const STREAM_MS = 1_500;
/** What is new is indexed for searches after it is told of; nothing says when. */
const INDEXED_MS = [2_000, 6_000];

/**
 * While somebody is signed in: the live line is open, interrupted uploads are offered, and files and storage are
 * read again when uploads, notifications or a returned connection say that they changed.
 */
export function useLiveDrive(onEnded: () => void): void {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    let searches: ReturnType<typeof setTimeout>[] = [];
    const stop = () => {
      clearTimeout(timer);
      for (const search of searches) clearTimeout(search);
    };
    const read = () => {
      stop();
      timer = undefined;
      last = Date.now();
      void refreshFiles(queries);
      void queries.invalidateQueries({ queryKey: ['me'] });
      searches = INDEXED_MS.map((ms) => setTimeout(() => void refreshSearches(queries), ms));
    };
    const refresh = () => {
      timer ??= setTimeout(read, Math.max(SOON_MS, last + STREAM_MS - Date.now()));
    };
    whenSessionEnds(onEnded);
    whenUploadsChange(refresh);
    const stops = [
      openRealtime(() => renewSession()),
      onRealtime('notification', refresh),
      onRealtime('file.progress', (report) => noteProgress(report) && refresh()),
      onRealtime('reconnected', () => {
        forgetProgress();
        refresh();
      }),
      forgetProgress,
      stop,
    ];
    uploads.loadInterrupted().catch(() => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, onEnded]);
}
