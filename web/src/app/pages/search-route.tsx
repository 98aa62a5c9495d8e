import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { SearchPage } from '@/features/files';
import { setListed } from '../listed';
import { ROOT, setPlace } from '../place';
import { useSearchAddress } from '../search';
import { setShareTarget } from '../share-target';
import { useViewerAddress } from '../viewer-address';

/** `/search?q=…&type=…` */
export function SearchRoute() {
  const { t } = useTranslation();
  const { query, type, search } = useSearchAddress();
  const navigate = useNavigate();
  const { show } = useViewerAddress();
  const title = t('files.search.title');
  useEffect(() => setPlace({ ...ROOT, title }), [title]);
  const openFolder = useCallback(
    (id: string | null) =>
      void (id ? navigate({ to: '/drive/$folderId', params: { folderId: id } }) : navigate({ to: '/drive' })),
    [navigate],
  );
  return (
    <SearchPage
      query={query}
      type={type}
      onSearch={search}
      onOpenFolder={openFolder}
      onOpenFile={show}
      onListed={setListed}
      onShare={setShareTarget}
    />
  );
}
