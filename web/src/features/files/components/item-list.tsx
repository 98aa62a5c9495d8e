import { Loader } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import type { SelectionState } from '../model/use-selection';
import { GridTile } from './grid-tile';
import type { ActionsFor } from './item-action';
import classes from './item-list.module.css';
import { ItemMenu, type MenuPlace } from './item-menu';
import { ListHead } from './list-head';
import { ListRow } from './list-row';
import { useItemEvents } from './use-item-events';
import { useListFocus } from './use-list-focus';
import { useListKeys } from './use-list-keys';

const ROW = 54;
const TILE = 210;
const TILE_WIDTH = 186;

interface Props {
  items: Item[];
  label: string;
  view: 'list' | 'grid';
  selection: SelectionState;
  actionsFor: ActionsFor;
  sortable?: boolean;
  /** Whether rows show the folder of each item. */
  places?: boolean;
  more: { available: boolean; loading: boolean; load: () => void };
  onOpen: (item: Item) => void;
  onRename?: (item: Item) => void;
  onDelete?: (items: Item[]) => void;
  /** Whether items can be dragged onto folders. */
  onDropItems?: (ids: string[], folder: Item) => void;
}

/** Files and folders as rows or tiles; virtualised, and loading the next page at the end. */
export function ItemList(props: Props) {
  const { items, view, selection, more, onDropItems } = props;
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const { ref: measure, width } = useElementSize();
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const columns = view === 'grid' ? Math.max(2, Math.floor(width / TILE_WIDTH)) : 1;
  const rowCount = Math.ceil(items.length / columns);
  const virtual = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => (view === 'grid' ? TILE : ROW),
    overscan: 8,
    scrollPaddingStart: 48,
    initialRect: { width: 900, height: 800 },
  });
  const rows = virtual.getVirtualItems();

  const lastRow = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more.available && !more.loading && lastRow >= rowCount - 10) more.load();
  }, [more, lastRow, rowCount]);

  const cursor = selection.cursor;
  const focus = useListFocus({ scroller, virtual, items, cursor, columns });

  const events = useItemEvents({
    selection,
    draggable: Boolean(onDropItems),
    onOpen: props.onOpen,
    onMenu: setMenu,
    onDropItems: onDropItems ?? (() => {}),
  });
  const onKeyDown = useListKeys({
    items,
    selection,
    columns,
    onMoved: focus.follow,
    onOpen: props.onOpen,
    onRename: props.onRename,
    onDelete: props.onDelete,
  });
  const Entry = view === 'grid' ? GridTile : ListRow;
  const tabbable = items.some(({ id }) => id === cursor) ? cursor : items[0]?.id;
  const clearOnBackground = (event: React.MouseEvent) => {
    if (!(event.target as HTMLElement).closest('[data-item], [role=row]')) selection.clear();
  };
  // Restores the focus to the item first, so that the dialog returns it there.
  const closeMenu = () => {
    const [first] = menu?.items ?? [];
    setMenu(null);
    scroller.current?.querySelector<HTMLElement>(`[data-id="${first?.id}"]`)?.focus({ preventScroll: true });
  };
  return (
    <>
      <div ref={scroller} className={classes.scroller} onClick={clearOnBackground} data-testid="file-list">
        <div
          role="grid"
          aria-label={props.label}
          aria-multiselectable
          aria-rowcount={more.available ? -1 : rowCount + 1}
          aria-description={t('files.hint.keyboard')}
          tabIndex={-1}
          className={classes.grid}
          onKeyDown={onKeyDown}
          {...focus.props}
        >
          {view === 'list' && <ListHead sortable={props.sortable ?? false} />}
          <div ref={measure} role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {rows.map((row) => (
              <div
                key={row.key}
                role="presentation"
                className={view === 'grid' ? classes.tiles : undefined}
                style={{
                  position: 'absolute',
                  inset: '0 0 auto',
                  transform: `translateY(${row.start}px)`,
                  ...(view === 'grid' ? { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` } : {}),
                }}
              >
                {items.slice(row.index * columns, (row.index + 1) * columns).map((item, offset) => (
                  <Entry
                    key={item.id}
                    item={item}
                    index={row.index * columns + offset}
                    chosen={selection.chosen.has(item.id)}
                    tabbable={item.id === tabbable}
                    events={events}
                    place={props.places ?? false}
                  />
                ))}
              </div>
            ))}
          </div>
        </div>
        {more.loading && (
          <div className={classes.more} role="status">
            <Loader size="xs" /> {t('common.loadingMore')}
          </div>
        )}
      </div>
      {/* Outside the list: a click in the menu would count as one on the list's background. */}
      <ItemMenu place={menu} actionsFor={props.actionsFor} onClose={closeMenu} />
    </>
  );
}
