/** The viewer's queries. */
import { queryOptions } from '@tanstack/react-query';
import type { ViewerSource } from './source';

/** A file. */
export function fileQuery(source: ViewerSource, fileId: string) {
  return queryOptions({
    queryKey: [...source.key, 'item', fileId],
    queryFn: ({ signal }) => source.file(fileId, signal),
  });
}

/** What can be shown of a file, with URLs that expire. */
export function previewQuery(source: ViewerSource, fileId: string) {
  return queryOptions({
    queryKey: [...source.key, 'preview', fileId],
    queryFn: ({ signal }) => source.preview(fileId, signal),
    staleTime: 60_000,
  });
}

/** Where a film or audio file streams from; fails with `not-playable` until something can be played. */
export function streamQuery(source: ViewerSource, fileId: string) {
  return queryOptions({
    queryKey: [...source.key, 'stream', fileId],
    queryFn: ({ signal }) => source.stream(fileId, signal),
  });
}
