import { CatchBoundary } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef } from 'react';
import type { User } from '@/api/types';
import { useListed } from './listed';
import { setViewed } from './place';
import { useDriveSource } from './use-drive-source';
import { useViewerAddress } from './viewer-address';
import { ViewerFailed, ViewerLoading } from './viewer-states';

// A chunk of its own, loaded only when a file is opened.
const Viewer = lazy(() => import('@/features/viewer').then(({ Viewer }) => ({ default: Viewer })));

/** The viewer over the page while the address names a file; closing it returns the focus to that file. */
export function ViewerLayer({ user }: { user: User }) {
  const { fileId, show, close } = useViewerAddress();
  const { items, loadMore } = useListed();
  const source = useDriveSource(user);
  useReturnFocus(fileId);
  const step = useCallback((id: string) => show({ id }), [show]);
  if (!fileId) return null;
  return (
    <CatchBoundary
      getResetKey={() => fileId}
      errorComponent={() => <ViewerFailed onClose={close} onDownload={() => downloadById(fileId)} />}
    >
      <Suspense fallback={<ViewerLoading onClose={close} />}>
        <Viewer
          fileId={fileId}
          source={source}
          items={items}
          loadMore={loadMore}
          onShow={step}
          onClose={close}
          onName={setViewed}
        />
      </Suspense>
    </CatchBoundary>
  );
}

/** Downloads by plain navigation, for when the viewer's chunk could not be loaded. */
function downloadById(fileId: string): void {
  location.assign(`/api/v1/files/${encodeURIComponent(fileId)}/download`);
}

/** Returns the focus to the file viewed last, or to where it was, when the viewer closes. */
function useReturnFocus(fileId: string | null): void {
  const before = useRef<Element | null>(null);
  const last = useRef<string | null>(null);
  if (fileId && !last.current) before.current = document.activeElement;
  if (fileId) last.current = fileId;
  useEffect(() => {
    if (fileId || !last.current) return;
    const row = document.querySelector<HTMLElement>(`#content [data-id="${CSS.escape(last.current)}"]`);
    last.current = null;
    const target = row ?? before.current;
    if (target instanceof HTMLElement && target.isConnected) target.focus();
  }, [fileId]);
}
