/** The uploads of this page, for the screen to read. Only the manager writes here. */
import { create } from 'zustand';
import { allows, nextStatus, type UploadEvent } from './status';
import type { UploadItem, UploadStatus } from './types';

/** All rows by id, and their order. */
export interface UploadRows {
  items: Record<string, UploadItem>;
  order: string[];
}

/** Creates a store of rows with the changes that the manager needs. */
export function createUploadStore() {
  const store = create<UploadRows>(() => ({ items: {}, order: [] }));
  return Object.assign(store, {
    /** The row with this id. */
    get: (id: string): UploadItem | undefined => store.getState().items[id],
    /** All rows in order. */
    all: (): UploadItem[] => rowsOf(store.getState()),
    /** Appends rows. */
    add: (items: UploadItem[]) =>
      store.setState(({ items: before, order }) => ({
        items: { ...before, ...Object.fromEntries(items.map((item) => [item.id, item])) },
        order: [...order, ...items.map((item) => item.id)],
      })),
    /** Changes some fields of a row, if it is still there. */
    patch: (id: string, change: Partial<UploadItem>) =>
      store.setState(({ items }) => {
        const item = items[id];
        return item ? { items: { ...items, [id]: { ...item, ...change } } } : {};
      }),
    /** Applies an event to a row, with other changes; `false` if the event does not apply in its status. */
    move: (id: string, event: UploadEvent, change: Partial<UploadItem> = {}): boolean => {
      const item = store.getState().items[id];
      if (!item || !allows(item.status, event)) return false;
      const status = nextStatus(item.status, event);
      store.setState(({ items }) => ({ items: { ...items, [id]: { ...item, ...change, status } } }));
      return true;
    },
    /** Removes rows. */
    remove: (ids: string[]) =>
      store.setState(({ items, order }) => {
        const gone = new Set(ids);
        return {
          items: Object.fromEntries(Object.entries(items).filter(([id]) => !gone.has(id))),
          order: order.filter((id) => !gone.has(id)),
        };
      }),
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
  const rank = (id: string) => RANK[items[id]?.status ?? 'done'];
  return [...order].sort((a, b) => rank(a) - rank(b));
}

/** The rows in order. */
export function rowsOf({ items, order }: UploadRows): UploadItem[] {
  return order.flatMap((id) => items[id] ?? []);
}
