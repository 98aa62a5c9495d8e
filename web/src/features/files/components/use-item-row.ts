/** What rows and tiles share: accessibility, pointer handling and dragging. */
import type { Item } from '@/api/types';
import { useDropTarget } from './use-item-drag';
import type { ItemEvents } from './use-item-events';

/** The props of a row or a tile. */
export interface ItemProps {
  item: Item;
  index: number;
  chosen: boolean;
  tabbable: boolean;
  events: ItemEvents;
  /** Whether to show the item's folder. */
  place: boolean;
}

/** Returns the attributes of an item's element; `headRows` rows precede the first item. */
export function useItemRow(
  { item, index, chosen, tabbable, events }: Omit<ItemProps, 'place'>,
  headRows: number,
) {
  const folder = item.kind === 'folder';
  const { over, props } = useDropTarget(folder && events.draggable, (ids) => events.dropItems(ids, item));
  return {
    role: 'row',
    'aria-selected': chosen,
    'aria-rowindex': index + 1 + headRows,
    tabIndex: tabbable ? 0 : -1,
    'data-item': true,
    'data-id': item.id,
    'data-name': item.name,
    'data-kind': item.kind,
    'data-status': item.kind === 'file' ? item.status : undefined,
    'data-over': over || undefined,
    'data-testid': 'file-row',
    draggable: events.draggable,
    onPointerDown: events.pointerDown,
    onClick: (event: React.MouseEvent) => events.click(event, item),
    onDoubleClick: () => events.doubleClick(item),
    onContextMenu: (event: React.MouseEvent) => events.contextMenu(event, item),
    onFocus: () => events.focus(item),
    onDragStart: (event: React.DragEvent) => events.dragStart(event, item),
    ...props,
  } as const;
}
