import { useMemo, useRef, useState } from 'react';
import type { Item } from '@/api/types';
import * as model from './selection';

/** Returns the selection of a list, and functions to change it. */
export function useSelection(items: Item[]) {
  const order = useMemo(() => items.map(({ id }) => id), [items]);
  const [state, setState] = useState(model.nothing);
  const before = useRef(order);
  if (before.current !== order) {
    const pruned = model.prune(state, order, before.current);
    before.current = order;
    if (pruned !== state) setState(pruned);
  }
  return useMemo(
    () => ({
      ...state,
      items: items.filter(({ id }) => state.chosen.has(id)),
      click: (id: string, held?: model.Held) => setState((now) => model.click(now, order, id, held)),
      toggle: (id: string) => setState((now) => model.toggle(now, id)),
      step: (by: number, held?: model.Held) => setState((now) => model.step(now, order, by, held)),
      all: () => setState((now) => model.all(now, order)),
      clear: () => setState(model.clear),
      focus: (id: string) => setState((now) => (now.cursor === id ? now : { ...now, cursor: id })),
    }),
    [state, items, order],
  );
}

/** The result of `useSelection`. */
export type SelectionState = ReturnType<typeof useSelection>;
