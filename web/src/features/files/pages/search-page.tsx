import { Button, NativeSelect, VisuallyHidden } from '@mantine/core';
import { IconSearch, IconSearchOff } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Item } from '@/api/types';
import { FailedState, NoticeState } from '@/components/notice-state';
import type { ActionsFor } from '../components/item-action';
import { ItemList } from '../components/item-list';
import { ListSkeleton } from '../components/list-skeleton';
import { SearchBox } from '../components/search-box';
import { SelectionBar } from '../components/selection-bar';
import classes from '../components/toolbar.module.css';
import { MoveDialog } from '../dialogs/move-dialog';
import { RenameDialog } from '../dialogs/rename-dialog';
import { type OnListed, useListed } from '../model/listed';
import { usePreferences } from '../model/preferences';
import { useSelection } from '../model/use-selection';
import { SEARCH_TYPES, type SearchType, searchQuery } from '../queries';
import { useUnfinishedUploads } from '../unfinished-uploads';
import { useFileActions } from '../use-file-actions';
import { locateAction } from './locate-action';
import { isUnfinished, useDriveActions } from './use-drive-actions';

interface Props {
  query: string;
  type: SearchType | null;
  onSearch: (query: string, type: SearchType | null) => void;
  onOpenFolder: (id: string | null) => void;
  onOpenFile: (file: FileItem) => void;
  onListed: OnListed;
  onShare: (item: Item) => void;
}

/** The search results from all folders. */
export function SearchPage(props: Props) {
  const { query, type, onSearch, onOpenFolder, onOpenFile } = props;
  const { t } = useTranslation();
  const view = usePreferences((preferences) => preferences.view);
  const wanted = Boolean(query || type);
  const found = useInfiniteQuery({
    ...searchQuery(query, type),
    enabled: wanted,
    placeholderData: keepPreviousData,
  });
  const pages = wanted ? found.data?.pages : undefined;
  const items = useMemo(() => pages?.flatMap((page): Item[] => page.items) ?? [], [pages]);
  useListed(props.onListed, items, found);
  const selection = useSelection(items);
  const actions = useFileActions();
  const unfinishedUploads = useUnfinishedUploads();
  const [renaming, setRenaming] = useState<Item | null>(null);
  const [moving, setMoving] = useState<Item[] | null>(null);
  const body = useRef<HTMLDivElement>(null);

  const open = useCallback(
    (item: Item) => {
      if (item.kind === 'folder') onOpenFolder(item.id);
      else if (!isUnfinished(item)) onOpenFile(item);
    },
    [onOpenFile, onOpenFolder],
  );
  const driveActions = useDriveActions({
    actions,
    unfinishedUploads,
    onOpen: open,
    onRename: setRenaming,
    onMove: setMoving,
    onShare: props.onShare,
  });
  const actionsFor = useCallback<ActionsFor>(
    (chosen) => [...locateAction(chosen, t('files.action.locate'), onOpenFolder), ...driveActions(chosen)],
    [t, driveActions, onOpenFolder],
  );
  const focusResults = () => body.current?.querySelector<HTMLElement>('[data-item][tabindex="0"]')?.focus();
  const count = items.length;
  return (
    <>
      <VisuallyHidden component="h1">{t('files.search.title')}</VisuallyHidden>
      <div className={classes.bar}>
        {selection.items.length > 0 ? (
          <SelectionBar items={selection.items} actionsFor={actionsFor} onClear={selection.clear} />
        ) : (
          <>
            <div className={classes.narrowSearch}>
              <SearchBox
                query={query}
                onSearch={(text) => onSearch(text, type)}
                onDown={focusResults}
                testId="search-narrow"
              />
            </div>
            <span className={classes.found} role="status" data-testid="search-count">
              {pages && !found.isPlaceholderData
                ? t(found.hasNextPage ? 'files.search.foundMore' : 'files.search.found', { count })
                : ''}
            </span>
          </>
        )}
        <NativeSelect
          aria-label={t('files.search.type')}
          value={type ?? ''}
          onChange={(event) => onSearch(query, (event.currentTarget.value || null) as SearchType | null)}
          data={[
            { value: '', label: t('files.search.types.any') },
            ...SEARCH_TYPES.map((value) => ({ value, label: t(`files.search.types.${value}`) })),
          ]}
          data-testid="search-type"
        />
      </div>
      <div ref={body} className={classes.body}>
        {!wanted ? (
          <NoticeState
            icon={<IconSearch size={34} />}
            title={t('files.search.start')}
            text={t('files.search.startText')}
          />
        ) : found.isPending ? (
          <ListSkeleton view={view} />
        ) : found.isError && !pages ? (
          <FailedState
            icon={<IconSearchOff size={34} />}
            title={t('files.search.failed')}
            error={found.error}
            onRetry={() => void found.refetch()}
          />
        ) : count === 0 ? (
          <NoticeState
            icon={<IconSearchOff size={34} />}
            title={query ? t('files.search.none', { query }) : t('files.search.noneOfType')}
            text={t('files.search.noneText')}
          >
            {type && query && (
              <Button variant="light" mt="sm" onClick={() => onSearch(query, null)}>
                {t('files.search.types.any')}
              </Button>
            )}
          </NoticeState>
        ) : (
          <ItemList
            items={items}
            label={t('files.search.results')}
            view={view}
            selection={selection}
            actionsFor={actionsFor}
            places
            more={{
              available: found.hasNextPage,
              loading: found.isFetchingNextPage,
              load: () => void found.fetchNextPage(),
            }}
            onOpen={open}
            onRename={setRenaming}
            onDelete={actions.trash}
          />
        )}
      </div>
      <RenameDialog item={renaming} onClose={() => setRenaming(null)} />
      <MoveDialog items={moving} onMove={actions.move} onClose={() => setMoving(null)} />
    </>
  );
}
