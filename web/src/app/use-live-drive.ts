import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { renewSession, whenSessionEnds } from '@/api/transport';
import { clearProgress, storeProgress } from '@/components/file-progress';
import { refreshFiles, refreshSearches } from '@/features/files';
import { uploads, whenUploadsChange } from '@/features/uploads';
import { onRealtime, openRealtime } from '@/lib/realtime';

/** Changes show after `SOON_MS`, a stream of them once every `STREAM_MS`. */
const SOON_MS = 200;
const STREAM_MS = 1_500;
/** Changes to the search index usually come in bursts. */
const INDEXED_MS = 300;

/**
 * While somebody is signed in: keeps the realtime connection open, offers interrupted uploads, and refetches files,
 * storage and searches when uploads, events or a restored connection say that they have changed.
 */
export function useLiveDrive(onEnded: () => void): void {
  const queries = useQueryClient();
  useEffect(() => {
    const files = throttled(SOON_MS, () => {
      void refreshFiles(queries);
      void queries.invalidateQueries({ queryKey: ['me'] });
    });
    const searches = throttled(INDEXED_MS, () => void refreshSearches(queries));
    whenSessionEnds(onEnded);
    whenUploadsChange(files.run);
    const stops = [
      openRealtime(() => renewSession()),
      onRealtime('notification', files.run),
      onRealtime('search.indexed', searches.run),
      onRealtime('file.progress', (report) => storeProgress(report) && files.run()),
      onRealtime('reconnected', () => {
        clearProgress();
        files.run();
      }),
      clearProgress,
      files.stop,
      searches.stop,
    ];
    uploads.loadInterrupted().catch(() => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, onEnded]);
}

/** Runs `work` soon after the first call of a burst, and at most once every `STREAM_MS`. */
function throttled(soon: number, work: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const now = () => {
    timer = undefined;
    last = Date.now();
    work();
  };
  return {
    run: () => {
      timer ??= setTimeout(now, Math.max(soon, last + STREAM_MS - Date.now()));
    },
    stop: () => clearTimeout(timer),
  };
}
