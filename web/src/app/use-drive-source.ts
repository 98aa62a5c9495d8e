import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, dataOf } from '@/api/client';
import type { User } from '@/api/types';
import { useFileActions } from '@/features/files';
import type { ViewerSource } from '@/features/viewer';

// All keys of queries begin with 'files', so that whatever refetches the lists refetches the viewed file too.
const KEY = ['files'];

/** Returns the user's own files as a source for the viewer. */
export function useDriveSource({ id }: User): ViewerSource {
  const { t } = useTranslation();
  const { download, retry } = useFileActions();
  const root = t('files.drive');
  return useMemo(
    () => ({
      key: KEY,
      positionsOf: id,
      root,
      download: (file) => void download([file]),
      retry: (file) => void retry([file]),
      file: (fileId, signal) => dataOf(api.GET('/api/v1/files/{file_id}', at(fileId, signal))),
      preview: (fileId, signal) => dataOf(api.GET('/api/v1/files/{file_id}/preview', at(fileId, signal))),
      stream: (fileId, signal) => dataOf(api.GET('/api/v1/files/{file_id}/stream', at(fileId, signal))),
    }),
    [id, root, download, retry],
  );
}

function at(fileId: string, signal: AbortSignal) {
  return { params: { path: { file_id: fileId } }, signal };
}
