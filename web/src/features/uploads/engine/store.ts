/** The uploads of this page, for the screen to read. Only the manager and what it runs write here. */
import { create } from 'zustand';
import { allows, nextStatus, type UploadEvent } from './status';
import type { UploadItem, UploadStatus } from './types';

/** All rows by id, and their order. */
export interface UploadRows {
  items: Record<string, UploadItem>;
  order: string[];
}

/** An event for one row, with other changes. */
export interface Move {
  id: string;
  event: UploadEvent;
  change?: Partial<UploadItem>;
}

/** Creates a store of rows with the changes that the manager needs. Each change informs the screen once. */
export function createUploadStore() {
  const store = create<UploadRows>(() => ({ items: {}, order: [] }));
  /** Applies the events that are allowed in the status of their row, and returns the ids of those rows. */
  const moveAll = (moves: Iterable<Move>): string[] => {
    const { items: before } = store.getState();
    let items = before;
    const moved: string[] = [];
    for (const { id, event, change } of moves) {
      const item = items[id];
      if (!item || !allows(item.status, event)) continue;
      if (items === before) items = { ...before };
      items[id] = { ...item, ...change, status: nextStatus(item.status, event) };
      moved.push(id);
    }
    if (moved.length) store.setState({ items });
    return moved;
  };
  return Object.assign(store, {
    /** The row with this id. */
    get: (id: string): UploadItem | undefined => store.getState().items[id],
    /** All rows in order. */
    all: (): UploadItem[] => rowsOf(store.getState()),
    /** Appends rows. */
    add: (items: UploadItem[]) => {
      if (!items.length) return;
      store.setState(({ items: before, order }) => ({
        items: { ...before, ...Object.fromEntries(items.map((item) => [item.id, item])) },
        order: [...order, ...items.map((item) => item.id)],
      }));
    },
    /** Changes some fields of a row, if it is still there. */
    patch: (id: string, change: Partial<UploadItem>) =>
      store.setState(({ items }) => {
        const item = items[id];
        return item ? { items: { ...items, [id]: { ...item, ...change } } } : {};
      }),
    /** Applies an event to a row, with other changes; `false` if the event does not apply in its status. */
    move: (id: string, event: UploadEvent, change: Partial<UploadItem> = {}): boolean =>
      moveAll([{ id, event, change }]).length > 0,
    moveAll,
    /** Removes rows. */
    remove: (ids: string[]) => {
      if (!ids.length) return;
      store.setState(({ items, order }) => {
        const gone = new Set(ids);
        return {
          items: Object.fromEntries(Object.entries(items).filter(([id]) => !gone.has(id))),
          order: order.filter((id) => !gone.has(id)),
        };
      });
    },
  });
}

/** The store that `createUploadStore` makes. */
export type UploadStore = ReturnType<typeof createUploadStore>;

/** Rows that need the user come first, then active, queued and finished ones. */
const RANK: Record<UploadStatus, number> = {
  error: 0,
  interrupted: 0,
  uploading: 1,
  waiting: 1,
  completing: 1,
  paused: 1,
  queued: 2,
  done: 3,
};

/** Returns the ids in the order of the panel; stable within a status. */
export function panelOrder({ items, order }: UploadRows): string[] {
  const ranks: string[][] = [[], [], [], []];
  for (const id of order) ranks[RANK[items[id]?.status ?? 'done']]?.push(id);
  return ranks.flat();
}

/** The rows in order. */
export function rowsOf({ items, order }: UploadRows): UploadItem[] {
  return order.flatMap((id) => items[id] ?? []);
}

/**
 * Returns `derive`, computed once for each state of the rows however many components use it: some derive from thousands
 * of rows.
 */
export function oncePerState<T>(derive: (rows: UploadRows) => T): (rows: UploadRows) => T {
  let latest: { rows: UploadRows; value: T } | null = null;
  return (rows) => {
    if (latest?.rows !== rows) latest = { rows, value: derive(rows) };
    return latest.value;
  };
}
