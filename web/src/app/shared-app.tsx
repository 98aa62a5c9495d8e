import { lazy, Suspense } from 'react';
import { SharedPage, type ViewerProps } from '@/features/shared';
import { ErrorBoundary } from './error-boundary';
import { Providers } from './providers';
import { ViewerFailed, ViewerLoading } from './viewer-states';

// A chunk of its own, loaded only when a file is opened.
const Viewer = lazy(() => import('@/features/viewer').then(({ Viewer }) => ({ default: Viewer })));

/** The page of a share link: an entry of its own, without the drive and without a session. */
export function SharedApp({ token }: { token: string }) {
  return (
    <Providers>
      <SharedPage token={token} viewer={(props) => <SharedViewer key="viewer" {...props} />} />
    </Providers>
  );
}

function SharedViewer(props: ViewerProps) {
  return (
    <ErrorBoundary key={props.fileId} fallback={<ViewerFailed onClose={props.onClose} />}>
      <Suspense fallback={<ViewerLoading onClose={props.onClose} />}>
        <Viewer {...props} />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Returns the token in the address of a link's page: `/share/<token>`. */
export function tokenOf(path: string): string {
  const [, , token = ''] = path.split('/');
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}
