import { Button, VisuallyHidden } from '@mantine/core';
import { IconCloudUpload, IconFolderX } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import type { FileItem, Item } from '@/api/types';
import { FailedState, NoticeState } from '@/components/notice-state';
import { Breadcrumb } from '../components/breadcrumb';
import { ItemList } from '../components/item-list';
import { ListSkeleton } from '../components/list-skeleton';
import { SelectionBar } from '../components/selection-bar';
import classes from '../components/toolbar.module.css';
import { ViewControls } from '../components/view-controls';
import { MoveDialog } from '../dialogs/move-dialog';
import { RenameDialog } from '../dialogs/rename-dialog';
import { requestListFocus } from '../model/focus-transfer';
import { type OnListed, useListed } from '../model/listed';
import { usePreferences } from '../model/preferences';
import { useSelection } from '../model/use-selection';
import { folderQuery } from '../queries';
import { useUnfinishedUploads } from '../unfinished-uploads';
import { useFileActions } from '../use-file-actions';
import { isUnfinished, useDriveActions } from './use-drive-actions';

/** The current folder, for adding items to it. */
export interface Place {
  id: string | null;
  path: string;
  name: string;
}

interface Props {
  folderId: string | null;
  onOpenFolder: (id: string | null) => void;
  onOpenFile: (file: FileItem) => void;
  onListed: OnListed;
  onShare: (item: Item) => void;
  onPlace: (place: Place) => void;
  onUpload: () => void;
  tools?: ReactNode;
}

/** A folder of the drive. */
export function DrivePage(props: Props) {
  const { folderId, onOpenFolder, onOpenFile, onPlace, onUpload, tools } = props;
  const { t } = useTranslation();
  const { view, sort, order } = usePreferences();
  const query = useInfiniteQuery(folderQuery(folderId, sort, order));
  const pages = query.data?.pages;
  const items = useMemo(() => pages?.flatMap((page): Item[] => page.items) ?? [], [pages]);
  const folder = pages?.[0]?.folder;
  useListed(props.onListed, items, query);
  const selection = useSelection(items);
  const actions = useFileActions();
  const unfinishedUploads = useUnfinishedUploads();
  const [renaming, setRenaming] = useState<Item | null>(null);
  const [moving, setMoving] = useState<Item[] | null>(null);

  const [path, name] = [folder?.path ?? '/', folder?.name ?? t('files.drive')];
  const loaded = pages !== undefined;
  useEffect(() => {
    if (loaded) onPlace({ id: folderId, path, name });
  }, [loaded, folderId, path, name, onPlace]);

  const open = useCallback(
    (item: Item) => {
      if (item.kind === 'folder') {
        requestListFocus();
        onOpenFolder(item.id);
      } else if (!isUnfinished(item)) onOpenFile(item);
    },
    [onOpenFile, onOpenFolder],
  );
  const dropItems = (ids: string[], target: { id: string | null; name: string }) => {
    const dragged = items.filter(({ id }) => ids.includes(id) && id !== target.id);
    if (dragged.length) void actions.move(dragged, target.id, target.name);
  };
  const actionsFor = useDriveActions({
    actions,
    unfinishedUploads,
    onOpen: open,
    onRename: setRenaming,
    onMove: setMoving,
    onShare: props.onShare,
  });
  return (
    <>
      <VisuallyHidden component="h1">{name}</VisuallyHidden>
      <div className={classes.bar}>
        {selection.items.length > 0 ? (
          <SelectionBar items={selection.items} actionsFor={actionsFor} onClear={selection.clear} />
        ) : (
          <Breadcrumb crumbs={pages?.[0]?.breadcrumb ?? []} onOpen={onOpenFolder} onDropItems={dropItems} />
        )}
        <ViewControls />
        {tools}
      </div>
      {query.isPending ? (
        <ListSkeleton view={view} />
      ) : query.isError && !pages ? (
        <FailedState
          icon={<IconFolderX size={34} />}
          title={t('files.failed.title')}
          error={query.error}
          onRetry={() => void query.refetch()}
        >
          {isProblem(query.error, 404) ? (
            <Button variant="light" onClick={() => onOpenFolder(null)}>
              {t('common.notFound.home')}
            </Button>
          ) : undefined}
        </FailedState>
      ) : items.length === 0 ? (
        <NoticeState
          icon={<IconCloudUpload size={36} />}
          title={t('files.empty.title')}
          text={t('files.empty.text')}
        >
          <Button mt="sm" onClick={onUpload}>
            {t('files.empty.upload')}
          </Button>
        </NoticeState>
      ) : (
        <ItemList
          key={folderId}
          items={items}
          label={t('files.list')}
          view={view}
          selection={selection}
          actionsFor={actionsFor}
          sortable
          more={{
            available: query.hasNextPage,
            loading: query.isFetchingNextPage,
            load: () => void query.fetchNextPage(),
          }}
          onOpen={open}
          onRename={(item) => !isUnfinished(item) && setRenaming(item)}
          onDelete={(chosen) => void actions.trash(chosen.filter((item) => !isUnfinished(item)))}
          onDropItems={dropItems}
        />
      )}
      <RenameDialog item={renaming} onClose={() => setRenaming(null)} />
      <MoveDialog items={moving} onMove={actions.move} onClose={() => setMoving(null)} />
    </>
  );
}
