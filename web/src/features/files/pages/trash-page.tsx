import { Button, VisuallyHidden } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconTrash, IconTrashX } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { FailedState, NoticeState } from '@/components/notice-state';
import { emptyTrash } from '../actions-api';
import type { ActionsFor } from '../components/item-action';
import { ItemList } from '../components/item-list';
import { ListSkeleton } from '../components/list-skeleton';
import { SelectionBar } from '../components/selection-bar';
import classes from '../components/toolbar.module.css';
import { PurgeDialog } from '../dialogs/purge-dialog';
import { usePreferences } from '../model/preferences';
import { useSelection } from '../model/use-selection';
import { refreshFiles, trashQuery } from '../queries';
import { useFileActions } from '../use-file-actions';

/** The trash, with actions to restore and purge. */
export function TrashPage() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const view = usePreferences((preferences) => preferences.view);
  const query = useInfiniteQuery(trashQuery);
  const items = useMemo(() => query.data?.pages.flatMap((page): Item[] => page.items) ?? [], [query.data]);
  const selection = useSelection(items);
  const actions = useFileActions();
  const [purging, setPurging] = useState<Item[] | 'all' | null>(null);
  const actionsFor = useCallback<ActionsFor>(
    () => [
      { id: 'restore', label: t('files.action.restore'), icon: IconArrowBackUp, run: actions.restore },
      { id: 'purge', label: t('files.action.purge'), icon: IconTrashX, danger: true, run: setPurging },
    ],
    [t, actions],
  );
  const emptyAll = async () => {
    try {
      await emptyTrash();
      notifications.show({ message: t('files.emptied') });
    } catch (error) {
      notifications.show({ color: 'red', message: errorText(error) });
    }
    await Promise.all([refreshFiles(queries), queries.invalidateQueries({ queryKey: ['me'] })]);
  };
  const confirm = () => {
    setPurging(null);
    void (purging === 'all' ? emptyAll() : actions.purge(purging ?? []));
  };
  return (
    <>
      <VisuallyHidden component="h1">{t('files.trash')}</VisuallyHidden>
      <div className={classes.bar}>
        {selection.items.length > 0 ? (
          <SelectionBar items={selection.items} actionsFor={actionsFor} onClear={selection.clear} />
        ) : (
          <div className={classes.crumbs}>
            <span className={classes.crumb} data-current aria-hidden="true">
              {t('files.trash')}
            </span>
          </div>
        )}
        {items.length > 0 && (
          <Button variant="subtle" color="gray" onClick={() => setPurging('all')} data-testid="empty-trash">
            {t('files.action.emptyTrash')}
          </Button>
        )}
      </div>
      {query.isPending ? (
        <ListSkeleton view={view} />
      ) : query.isError && !query.data ? (
        <FailedState
          icon={<IconTrash size={34} />}
          title={t('files.failed.trash')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : items.length === 0 ? (
        <NoticeState
          icon={<IconTrash size={34} />}
          title={t('files.empty.trashTitle')}
          text={t('files.empty.trashText')}
        />
      ) : (
        <ItemList
          items={items}
          label={t('files.trash')}
          view={view}
          selection={selection}
          actionsFor={actionsFor}
          more={{
            available: query.hasNextPage,
            loading: query.isFetchingNextPage,
            load: () => void query.fetchNextPage(),
          }}
          onOpen={() => {}}
          onDelete={setPurging}
        />
      )}
      <PurgeDialog what={purging} onConfirm={confirm} onClose={() => setPurging(null)} />
    </>
  );
}
