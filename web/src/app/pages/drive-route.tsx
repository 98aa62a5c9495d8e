import { useNavigate, useParams } from '@tanstack/react-router';
import { useCallback } from 'react';
import { DrivePage } from '@/features/files';
import { useUploadPickers } from '@/features/uploads';
import { setListed } from '../listed';
import { setPlace } from '../place';
import { setShareTarget } from '../share-target';
import { useViewerAddress } from '../viewer-address';

/** `/drive` and `/drive/<folder>`. */
export function DriveRoute() {
  const { folderId } = useParams({ strict: false });
  const navigate = useNavigate();
  const { pickFiles } = useUploadPickers();
  const { show } = useViewerAddress();
  const openFolder = useCallback(
    (id: string | null) =>
      void (id ? navigate({ to: '/drive/$folderId', params: { folderId: id } }) : navigate({ to: '/drive' })),
    [navigate],
  );
  return (
    <DrivePage
      folderId={folderId ?? null}
      onOpenFolder={openFolder}
      onOpenFile={show}
      onListed={setListed}
      onShare={setShareTarget}
      onPlace={setPlace}
      onUpload={pickFiles}
    />
  );
}
