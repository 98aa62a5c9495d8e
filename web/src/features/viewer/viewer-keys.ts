/** The viewer's keyboard handling: the shown content comes first, then navigation and closing. */
import { createContext, useContext, useEffect, useRef } from 'react';

/** Handles a key and returns whether it did. */
export type KeyHandler = (event: KeyboardEvent) => boolean;

/** Holds the handler of the shown content. */
export type KeyHandlerRef = { current: KeyHandler | null };

/** The context through which the shown content registers its handler. */
export const ViewerKeys = createContext<KeyHandlerRef>({ current: null });

/** Handles keys, wherever in the viewer the focus is, while the component is mounted. */
export function useViewerKeys(handler: KeyHandler): void {
  const registered = useContext(ViewerKeys);
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => {
    const handle: KeyHandler = (event) => latest.current(event);
    registered.current = handle;
    return () => {
      if (registered.current === handle) registered.current = null;
    };
  }, [registered]);
}

const MOVES = /^(Arrow|Home|End|Page)/;

/** Whether a key belongs to the focused element: to type, press or move in it. */
export function isForFocused({ key, target }: KeyboardEvent): boolean {
  const within = (selector: string) => Boolean((target as HTMLElement | null)?.closest?.(selector));
  if (within('[role=slider], input[type=range], input[type=radio]')) return MOVES.test(key);
  if (within('button, a, [role=switch], input[type=checkbox]')) return key === ' ' || key === 'Enter';
  return within('input, textarea, select, [role=menu]');
}

interface Commands {
  onPrevious: () => void;
  onNext: () => void;
  onClose: () => void;
}

/** Listens on the whole page, since the focus may be lost while content is replaced. */
export function useLayerKeys(handler: KeyHandlerRef, commands: Commands): void {
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    const act = (event: KeyboardEvent): boolean => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
      if ((event.target as HTMLElement | null)?.closest?.('[role=menu]')) return false;
      if (event.key === 'Escape') {
        latest.current.onClose();
        return true;
      }
      if (isForFocused(event)) return false;
      if (handler.current?.(event)) return true;
      if (event.key === 'ArrowLeft') latest.current.onPrevious();
      else if (event.key === 'ArrowRight') latest.current.onNext();
      else return false;
      return true;
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (act(event)) event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [handler]);
}
