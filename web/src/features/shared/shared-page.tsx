import { Loader } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Item } from '@/api/types';
import { FailedState } from '@/components/notice-state';
import { Frame } from './components/frame';
import { LinkOver } from './components/link-over';
import { PasswordForm } from './components/password-form';
import { SharedFile } from './components/shared-file';
import { SharedFolder } from './components/shared-folder';
import { type LinkSource, useLinkSource } from './use-link-source';
import { useSharedAddress } from './use-shared-address';
import { useVisit, type VisitState } from './use-visit';

/** What the viewer needs to show a file of a link. */
export interface ViewerProps {
  fileId: string;
  source: LinkSource;
  items: Item[];
  loadMore: (() => void) | null;
  onShow: (fileId: string) => void;
  onClose: () => void;
  onName: (name: string | null) => void;
}

interface Props {
  token: string;
  /** Shows a file over the page. */
  viewer: (props: ViewerProps) => ReactNode;
}

/** The page of a share link. */
export function SharedPage({ token, viewer }: Props) {
  const { t } = useTranslation();
  const { visit, check } = useVisit(token);
  const name = visit.state === 'open' ? visit.item.name : null;
  const [viewed, setViewed] = useState<string | null>(null);
  useDocumentTitle([viewed ?? name ?? t('shared.title'), t('common.appName')].join(' · '));
  if (visit.state === 'open') {
    return <OpenLink token={token} visit={visit} check={check} viewer={viewer} onName={setViewed} />;
  }
  return (
    <Frame>
      <Closed visit={visit} />
    </Frame>
  );
}

/** A link that is not open, or not yet. */
function Closed({ visit }: { visit: Exclude<VisitState, { state: 'open' }> }) {
  const { t } = useTranslation();
  switch (visit.state) {
    case 'over':
      return <LinkOver problem={visit.problem} ownerName={visit.ownerName} />;
    case 'password':
      return <PasswordForm {...visit} onSubmit={visit.submit} />;
    case 'failed':
      return (
        <FailedState
          icon={<IconPlugConnectedX size={34} />}
          title={t('shared.failed')}
          error={visit.error}
          onRetry={visit.again}
        />
      );
    case 'loading':
      return <Loader aria-label={t('common.loading')} data-testid="shared-loading" />;
  }
}

interface OpenProps extends Props {
  visit: Extract<VisitState, { state: 'open' }>;
  check: (error: unknown) => void;
  onName: (name: string | null) => void;
}

/** An open link: its file or folder, and the viewer over it. */
function OpenLink({ token, visit, check, viewer, onName }: OpenProps) {
  const { link, item } = visit;
  const { folderId, viewed, showFile, closeFile, openFolder } = useSharedAddress();
  const [listed, setListed] = useState<{ items: Item[]; loadMore: (() => void) | null }>(nothing);
  const source = useLinkSource({
    token,
    root: item.name,
    mayDownload: visit.visit.permission === 'DOWNLOAD',
    check,
  });
  const show = (file: FileItem) => showFile(file.id);
  return (
    <Frame item={item} link={link}>
      {item.kind === 'file' ? (
        <SharedFile file={item} source={source} onShow={show} />
      ) : (
        <SharedFolder
          token={token}
          root={item}
          folderId={folderId}
          source={source}
          check={check}
          onOpenFolder={openFolder}
          onShow={show}
          onListed={setListed}
        />
      )}
      {viewed && viewer({ fileId: viewed, source, ...listed, onShow: showFile, onClose: closeFile, onName })}
    </Frame>
  );
}

const nothing = { items: [], loadMore: null };
