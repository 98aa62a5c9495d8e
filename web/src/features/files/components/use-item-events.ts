/** Pointer handling for items, shared by rows and tiles. */
import { type DragEvent, type MouseEvent, type PointerEvent, useMemo, useRef } from 'react';
import type { Item } from '@/api/types';
import type { SelectionState } from '../model/use-selection';
import type { MenuPlace } from './item-menu';
import { startItemDrag } from './use-item-drag';

interface Options {
  selection: SelectionState;
  draggable: boolean;
  onOpen: (item: Item) => void;
  onMenu: (place: MenuPlace) => void;
  onDropItems: (ids: string[], folder: Item) => void;
}

/** The pointer handlers of a list's items. */
export interface ItemEvents {
  draggable: boolean;
  pointerDown: (event: PointerEvent) => void;
  click: (event: MouseEvent, item: Item) => void;
  doubleClick: (item: Item) => void;
  contextMenu: (event: MouseEvent, item: Item) => void;
  more: (event: MouseEvent, item: Item) => void;
  toggle: (item: Item) => void;
  focus: (item: Item) => void;
  dragStart: (event: DragEvent, item: Item) => void;
  dropItems: (ids: string[], folder: Item) => void;
}

/**
 * With a mouse, a click selects and a double click opens. With touch, a tap opens; once something is selected (by an
 * item's checkbox), taps select.
 */
export function useItemEvents(options: Options): ItemEvents {
  const now = useRef(options);
  now.current = options;
  const finger = useRef(false);
  return useMemo(() => {
    const chosenWith = (item: Item) => {
      const { selection } = now.current;
      if (selection.chosen.has(item.id)) return selection.items;
      selection.click(item.id);
      return [item];
    };
    return {
      draggable: options.draggable,
      pointerDown: (event) => {
        finger.current = event.pointerType === 'touch';
      },
      click: (event, item) => {
        const { selection, onOpen } = now.current;
        if (!finger.current) {
          selection.click(item.id, { range: event.shiftKey, add: event.ctrlKey || event.metaKey });
        } else if (selection.chosen.size) selection.toggle(item.id);
        else onOpen(item);
      },
      doubleClick: (item) => {
        if (!finger.current) now.current.onOpen(item);
      },
      contextMenu: (event, item) => {
        event.preventDefault();
        const byKey = event.clientX === 0 && event.clientY === 0;
        const box = event.currentTarget.getBoundingClientRect();
        const place = byKey ? { x: box.left + 48, y: box.top + 32 } : { x: event.clientX, y: event.clientY };
        now.current.onMenu({ ...place, items: chosenWith(item) });
      },
      more: (event, item) => {
        event.stopPropagation();
        const box = event.currentTarget.getBoundingClientRect();
        now.current.onMenu({ x: box.left, y: box.bottom, items: chosenWith(item) });
      },
      toggle: (item) => now.current.selection.toggle(item.id),
      focus: (item) => now.current.selection.focus(item.id),
      dragStart: (event, item) =>
        startItemDrag(
          event,
          chosenWith(item).map(({ id }) => id),
        ),
      dropItems: (ids, folder) => now.current.onDropItems(ids, folder),
    };
  }, [options.draggable]);
}
