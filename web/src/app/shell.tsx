import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import { NewFolderDialog, UnfinishedUploadsProvider } from '@/features/files';
import { ShareDialog } from '@/features/sharing';
import { DropZone, UploadInputs, UploadPanel, uploads } from '@/features/uploads';
import { usePlace } from './place';
import { setShareTarget, useShareTarget } from './share-target';
import classes from './shell.module.css';
import { Sidebar } from './sidebar';
import { Topbar } from './topbar';
import { useUnfinishedUploadsConnection } from './unfinished-uploads';
import { useLiveDrive } from './use-live-drive';
import { usePageTitle } from './use-page-title';
import { ViewerLayer } from './viewer-layer';

/** The layout of every signed-in page: sidebar, top bar, upload panel. */
export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const place = usePlace();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { history } = useRouter();
  const ended = useCallback(() => {
    const next = history.location.href;
    queries.clear();
    void navigate({ to: '/sign-in', search: { ended: true, next }, replace: true });
  }, [queries, navigate, history]);
  useLiveDrive(ended);
  useEffect(() => uploads.belongTo(user.id), [user.id]);
  return (
    <UploadInputs folder={place.path}>
      <Frame user={user}>{children}</Frame>
      <DropZone folder={place.path} folderName={place.name || t('files.drive')} />
      <UploadPanel />
    </UploadInputs>
  );
}

function Frame({ user, children }: { user: User; children: ReactNode }) {
  const { t } = useTranslation();
  const place = usePlace();
  const [newFolderOpen, setNewFolderOpen] = useState(false);
  const [menuOpen, setMenuOpen] = useState(false);
  const unfinishedUploads = useUnfinishedUploadsConnection();
  const shared = useShareTarget(({ item }) => item);
  usePageTitle(place);
  const newFolder = () => {
    setMenuOpen(false);
    setNewFolderOpen(true);
  };
  return (
    <UnfinishedUploadsProvider value={unfinishedUploads}>
      <a href="#content" className="skip-link">
        {t('common.skipToContent')}
      </a>
      <div className={classes.shell}>
        <Sidebar
          user={user}
          drawer={menuOpen}
          onCloseDrawer={() => setMenuOpen(false)}
          onNewFolder={newFolder}
        />
        <Topbar user={user} onMenu={() => setMenuOpen(true)} onNewFolder={newFolder} />
        <main id="content" tabIndex={-1} className={classes.sheet}>
          {children}
        </main>
      </div>
      <ViewerLayer user={user} />
      <ShareDialog item={shared} onClose={() => setShareTarget(null)} />
      <NewFolderDialog opened={newFolderOpen} parentId={place.id} onClose={() => setNewFolderOpen(false)} />
    </UnfinishedUploadsProvider>
  );
}
