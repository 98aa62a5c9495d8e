import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconFolder, IconFolderX, IconLayoutGrid, IconList } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import type { FileItem, FolderItem, Item } from '@/api/types';
import { FailedState, NoticeState } from '@/components/notice-state';
import * as calls from '../calls';
import type { LinkSource } from '../use-link-source';
import { Entries, EntriesSkeleton } from './entries';
import classes from './shared.module.css';
import { Trail } from './trail';

interface Props {
  token: string;
  root: FolderItem;
  /** The open folder below it; `null` for the shared folder itself. */
  folderId: string | null;
  source: LinkSource;
  check: (error: unknown) => void;
  onOpenFolder: (id: string | null) => void;
  onShow: (file: FileItem) => void;
  /** Called with the files that the viewer can step through. */
  onListed: (listed: { items: Item[]; loadMore: (() => void) | null }) => void;
}

/** A shared folder, as rows or tiles. */
export function SharedFolder(props: Props) {
  const { token, root, source, check, onOpenFolder, onShow, onListed } = props;
  const folderId = props.folderId === root.id ? null : props.folderId;
  const { t } = useTranslation();
  const [view, setView] = useLocalStorage<'list' | 'grid'>({
    key: 'metastore.shared-view',
    defaultValue: 'list',
  });
  const query = useInfiniteQuery({
    queryKey: [...source.key, 'folder', folderId],
    queryFn: ({ pageParam, signal }) => calls.list(token, folderId, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
  });
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const items = useMemo(() => data?.pages.flatMap((page): Item[] => page.items) ?? [], [data]);
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  useEffect(() => {
    if (error) check(error);
  }, [error, check]);
  useEffect(() => {
    onListed({ items, loadMore: hasNextPage && !isFetchingNextPage ? loadMore : null });
  }, [items, hasNextPage, isFetchingNextPage, loadMore, onListed]);
  const open = (item: Item) => (item.kind === 'folder' ? onOpenFolder(item.id) : onShow(item));
  const other = view === 'list' ? 'grid' : 'list';
  return (
    <>
      <div className={classes.bar}>
        <Trail root={root} crumbs={data?.pages[0]?.breadcrumb ?? []} onOpen={onOpenFolder} />
        <Tooltip label={t(`files.view.${other}`)}>
          <ActionIcon
            size={36}
            onClick={() => setView(other)}
            aria-label={`${t('files.view.label')}: ${t(`files.view.${other}`)}`}
            data-testid={`shared-view-${other}`}
          >
            {view === 'list' ? (
              <IconLayoutGrid size={19} stroke={1.8} />
            ) : (
              <IconList size={19} stroke={1.8} />
            )}
          </ActionIcon>
        </Tooltip>
      </div>
      {query.isPending ? (
        <EntriesSkeleton />
      ) : error && !data ? (
        <FailedState
          icon={<IconFolderX size={34} />}
          title={t('files.failed.title')}
          error={error}
          onRetry={() => void query.refetch()}
        >
          {isProblem(error, 404, 422) ? (
            <Button variant="light" onClick={() => onOpenFolder(null)}>
              {t('shared.toRoot', { name: root.name })}
            </Button>
          ) : undefined}
        </FailedState>
      ) : items.length === 0 ? (
        <NoticeState icon={<IconFolder size={34} />} title={t('shared.empty')} />
      ) : (
        <Entries items={items} view={view} download={source.download} onOpen={open} />
      )}
      {hasNextPage && (
        <Button
          variant="default"
          m="md"
          loading={isFetchingNextPage}
          onClick={loadMore}
          data-testid="shared-more"
        >
          {t('shared.more')}
        </Button>
      )}
    </>
  );
}
