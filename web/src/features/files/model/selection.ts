/** The selection of a list, as pure functions that follow common file managers. */

/** The selected ids, the anchor of a range, and the cursor of the keyboard. */
export interface Selection {
  chosen: ReadonlySet<string>;
  anchor: string | null;
  cursor: string | null;
}

/** Keys held during a click or a move. */
export interface Held {
  range?: boolean;
  add?: boolean;
}

/** The empty selection. */
export const nothing: Selection = { chosen: new Set(), anchor: null, cursor: null };

/** Applies a click: alone it selects one item, with add it toggles, with range it selects from the anchor. */
export function click(state: Selection, order: string[], id: string, held: Held = {}): Selection {
  if (held.range && state.anchor !== null) {
    const range = between(order, state.anchor, id);
    const chosen = held.add ? new Set([...state.chosen, ...range]) : new Set(range);
    return { chosen, anchor: state.anchor, cursor: id };
  }
  return held.add ? toggle(state, id) : { chosen: new Set([id]), anchor: id, cursor: id };
}

/** Toggles an item. */
export function toggle(state: Selection, id: string): Selection {
  const chosen = new Set(state.chosen);
  if (!chosen.delete(id)) chosen.add(id);
  return { chosen, anchor: id, cursor: id };
}

/**
 * Moves the cursor by a number of items, stopping at the ends. Alone it moves the selection too, with range it extends
 * it, with add it keeps it.
 */
export function step(state: Selection, order: string[], by: number, held: Held = {}): Selection {
  if (!order.length) return state;
  const at = state.cursor === null ? -1 : order.indexOf(state.cursor);
  const next = at < 0 ? (by < 0 ? order.length - 1 : 0) : Math.min(order.length - 1, Math.max(0, at + by));
  const id = order[next];
  if (id === undefined) return state;
  if (held.range)
    return click({ ...state, anchor: state.anchor ?? state.cursor ?? id }, order, id, { range: true });
  return held.add ? { ...state, cursor: id } : click(state, order, id);
}

/** Selects everything; the cursor stays. */
export function all(state: Selection, order: string[]): Selection {
  return { ...state, chosen: new Set(order) };
}

/** Clears the selection; the cursor stays. */
export function clear(state: Selection): Selection {
  return { ...state, chosen: new Set(), anchor: state.cursor };
}

/** Removes ids that left the list; the cursor moves to the item in its place. */
export function prune(state: Selection, order: string[], before: string[]): Selection {
  const present = new Set(order);
  const chosen = [...state.chosen].filter((id) => present.has(id));
  const lost = state.cursor !== null && !present.has(state.cursor);
  if (!lost && chosen.length === state.chosen.size) return state;
  const place = state.cursor === null ? -1 : before.indexOf(state.cursor);
  const cursor = lost ? (order[Math.min(Math.max(place, 0), order.length - 1)] ?? null) : state.cursor;
  const anchor = state.anchor !== null && present.has(state.anchor) ? state.anchor : cursor;
  return { chosen: new Set(chosen), anchor, cursor };
}

function between(order: string[], from: string, to: string): string[] {
  const [a, b] = [order.indexOf(from), order.indexOf(to)];
  return a < 0 || b < 0 ? [to] : order.slice(Math.min(a, b), Math.max(a, b) + 1);
}
