/** The viewer's queries. */
import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import type { FileItem, Preview, Stream } from '@/api/types';

// All keys begin with 'files', so that whatever refetches the lists refetches these too.

/** A file. */
export function fileQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'item', fileId],
    queryFn: ({ signal }): Promise<FileItem> =>
      dataOf(api.GET('/api/v1/files/{file_id}', { params: { path: { file_id: fileId } }, signal })),
  });
}

/** What can be shown of a file, with URLs that expire. */
export function previewQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'preview', fileId],
    queryFn: ({ signal }): Promise<Preview> =>
      dataOf(api.GET('/api/v1/files/{file_id}/preview', { params: { path: { file_id: fileId } }, signal })),
    staleTime: 60_000,
  });
}

/** Where a film or audio file streams from; fails with `not-playable` until something can be played. */
export function streamQuery(fileId: string) {
  return queryOptions({
    queryKey: ['files', 'stream', fileId],
    queryFn: ({ signal }): Promise<Stream> =>
      dataOf(api.GET('/api/v1/files/{file_id}/stream', { params: { path: { file_id: fileId } }, signal })),
  });
}
