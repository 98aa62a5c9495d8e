import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { renewSession, whenSessionEnds } from '@/api/transport';
import { refreshFiles } from '@/features/files';
import { uploads, whenUploadsChange } from '@/features/uploads';
import { onRealtime, openRealtime } from '@/lib/realtime';

/** Several changes in a row make one reading. */
const SETTLE_MS = 250;

/**
 * While somebody is signed in: the live line is open, interrupted uploads are offered, and files and storage are
 * read again when uploads, notifications or a returned connection say that they changed.
 */
export function useLiveDrive(onEnded: () => void): void {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        void refreshFiles(queries);
        void queries.invalidateQueries({ queryKey: ['me'] });
      }, SETTLE_MS);
    };
    whenSessionEnds(onEnded);
    whenUploadsChange(refresh);
    const stops = [
      openRealtime(() => renewSession()),
      onRealtime('notification', refresh),
      onRealtime('file.progress', refresh),
      onRealtime('reconnected', refresh),
      () => clearTimeout(timer),
    ];
    uploads.loadInterrupted().catch(() => undefined);
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, onEnded]);
}
