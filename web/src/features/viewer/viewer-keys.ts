/** The viewer's keyboard handling: the shown content comes first, then navigation and closing. */
import { createContext, useContext, useEffect, useRef } from 'react';

/** Handles a key and returns whether it did. */
export type KeyTaker = (event: KeyboardEvent) => boolean;

/** Holds the handler of the shown content. */
export type TakerRef = { current: KeyTaker | null };

/** The context through which the shown content registers its handler. */
export const ViewerKeys = createContext<TakerRef>({ current: null });

/** Handles keys, wherever in the viewer the focus is, while the component is mounted. */
export function useViewerKeys(taker: KeyTaker): void {
  const place = useContext(ViewerKeys);
  const latest = useRef(taker);
  latest.current = taker;
  useEffect(() => {
    const take: KeyTaker = (event) => latest.current(event);
    place.current = take;
    return () => {
      if (place.current === take) place.current = null;
    };
  }, [place]);
}

const MOVES = /^(Arrow|Home|End|Page)/;

/** Whether a key belongs to the focused element: to type, press or move in it. */
export function isForFocused({ key, target }: KeyboardEvent): boolean {
  const within = (selector: string) => Boolean((target as HTMLElement | null)?.closest?.(selector));
  if (within('[role=slider], input[type=range], input[type=radio]')) return MOVES.test(key);
  if (within('button, a, [role=switch], input[type=checkbox]')) return key === ' ' || key === 'Enter';
  return within('input, textarea, select, [role=menu]');
}

interface Ways {
  onPrevious: () => void;
  onNext: () => void;
  onClose: () => void;
}

/** Listens on the whole page, since the focus may be lost while content is replaced. */
export function useLayerKeys(taker: TakerRef, ways: Ways): void {
  const latest = useRef(ways);
  latest.current = ways;
  useEffect(() => {
    const act = (event: KeyboardEvent): boolean => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
      if ((event.target as HTMLElement | null)?.closest?.('[role=menu]')) return false;
      if (event.key === 'Escape') {
        latest.current.onClose();
        return true;
      }
      if (isForFocused(event)) return false;
      if (taker.current?.(event)) return true;
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
  }, [taker]);
}
