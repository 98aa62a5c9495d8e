import type { KeyboardEvent } from 'react';
import type { Item } from '@/api/types';
import type { SelectionState } from '../model/use-selection';

interface Options {
  items: Item[];
  selection: SelectionState;
  /** Items per row: 1 in the list, more in the grid. */
  columns: number;
  onMoved: () => void;
  onOpen: (item: Item) => void;
  onRename?: ((item: Item) => void) | undefined;
  onDelete?: ((items: Item[]) => void) | undefined;
}

const FAR = Number.MAX_SAFE_INTEGER;

/** Returns the keyboard handler for the container of a list. */
export function useListKeys(options: Options): (event: KeyboardEvent) => void {
  return (event) => {
    const { items, selection, columns } = options;
    // A button inside an item handles its own keys.
    if (!(event.target as HTMLElement).matches('[data-item], [role=grid]')) return;
    const steps: Record<string, number> = {
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -FAR,
      End: FAR,
      PageDown: columns * 8,
      PageUp: -columns * 8,
      ...(columns > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
    };
    const current = items.find(({ id }) => id === selection.cursor);
    const chosen = selection.items.length ? selection.items : current ? [current] : [];
    const add = event.ctrlKey || event.metaKey;
    const by = steps[event.key];
    const act = (): boolean => {
      if (by !== undefined) {
        selection.step(by, { range: event.shiftKey, add });
        options.onMoved();
        return true;
      }
      switch (event.key) {
        case ' ':
          if (current) selection.toggle(current.id);
          return true;
        case 'a':
        case 'A':
          if (add) selection.all();
          return add;
        case 'Escape':
          selection.clear();
          return selection.chosen.size > 0;
        case 'Enter':
          if (current) options.onOpen(current);
          return true;
        case 'F2':
          if (chosen.length === 1 && chosen[0]) options.onRename?.(chosen[0]);
          return true;
        case 'Delete':
          if (chosen.length) options.onDelete?.(chosen);
          return true;
        default:
          return false;
      }
    };
    if (act()) event.preventDefault();
  };
}
