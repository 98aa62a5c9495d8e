/** Reading what the viewer shows. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '@/api/client';
import type { FileItem, Preview, Stream } from '@/api/types';

// All begin with 'files': whatever has the lists read again, a finished step or a notification, has these read too.

/** A file's own facts. */
export function fileQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'item', fileId],
    queryFn: ({ signal }): Promise<FileItem> =>
      answer(api.GET('/api/v1/files/{file_id}', { params: { path: { file_id: fileId } }, signal })),
  });
}

/** What can be shown of a file, with URLs that hold for a while. */
export function previewQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'preview', fileId],
    queryFn: ({ signal }): Promise<Preview> =>
      answer(api.GET('/api/v1/files/{file_id}/preview', { params: { path: { file_id: fileId } }, signal })),
    staleTime: 60_000,
  });
}

/** Where a film or a sound streams from; refused as `not-playable` until there is something to play. */
export function streamQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'stream', fileId],
    queryFn: ({ signal }): Promise<Stream> =>
      answer(api.GET('/api/v1/files/{file_id}/stream', { params: { path: { file_id: fileId } }, signal })),
  });
}
