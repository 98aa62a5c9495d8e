/** Connects unfinished files in the listing with the uploads of this page. */
import { useMemo } from 'react';
import type { UnfinishedUploads } from '@/features/files';
import { isActive, percentOf, uploads, useUploadOfFile, useUploadPickers } from '@/features/uploads';

function usePercent(fileId: string): number | null {
  const row = useUploadOfFile(fileId);
  return row && isActive(row.status) ? percentOf(row) : null;
}

async function rowOf(fileId: string) {
  if (!uploads.ofFile(fileId)) await uploads.loadInterrupted().catch(() => undefined);
  return uploads.ofFile(fileId);
}

/** Returns what the file lists need of the uploads. */
export function useUnfinishedUploadsConnection(): UnfinishedUploads {
  const { resume } = useUploadPickers();
  return useMemo(
    () => ({
      usePercent,
      resume: async (fileId) => {
        const row = await rowOf(fileId);
        if (row) resume(row.id);
      },
      cancel: async (fileId) => {
        const row = await rowOf(fileId);
        if (row) await uploads.cancel(row.id);
      },
    }),
    [resume],
  );
}
