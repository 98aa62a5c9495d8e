import type { Virtualizer } from '@tanstack/react-virtual';
import { type FocusEvent, type RefObject, useEffect, useRef, useState } from 'react';
import type { Item } from '@/api/types';
import { takeFocusRequest } from '../model/focus-transfer';

interface Options {
  scroller: RefObject<HTMLDivElement | null>;
  virtual: Virtualizer<HTMLDivElement, Element>;
  items: Item[];
  cursor: string | null;
  columns: number;
}

/**
 * Keeps the browser's focus on the item at the cursor: after a move, when the focused item was removed, and when the
 * list replaced another one. Spread `props` on the grid; call `follow` after a move.
 */
export function useListFocus({ scroller, virtual, items, cursor, columns }: Options) {
  const [moves, setMoves] = useState(0);
  const inside = useRef(false);
  const current = useRef({ items, cursor, columns, virtual });
  current.current = { items, cursor, columns, virtual };

  const focusCursor = useRef(() => {
    const now = current.current;
    const index = Math.max(
      0,
      now.items.findIndex(({ id }) => id === now.cursor),
    );
    const id = now.items[index]?.id;
    now.virtual.scrollToIndex(Math.floor(index / now.columns));
    return requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus({ preventScroll: true });
    });
  }).current;

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs after each move of the cursor
  useEffect(() => {
    if (!moves) return;
    const frame = focusCursor();
    return () => cancelAnimationFrame(frame);
  }, [moves, cursor]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the items change
  useEffect(() => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (lost && (takeFocusRequest() || inside.current)) focusCursor();
  }, [items]);

  const props = {
    onFocus: () => {
      inside.current = true;
    },
    onBlur: ({ relatedTarget, currentTarget }: FocusEvent) => {
      if (relatedTarget && !currentTarget.contains(relatedTarget)) inside.current = false;
    },
  };
  return { props, follow: () => setMoves((count) => count + 1) };
}
