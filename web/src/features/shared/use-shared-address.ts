/** The open folder and file in the address of a link's page: `?folder=<id>&view=<file>`. */
import { useCallback, useMemo, useSyncExternalStore } from 'react';

const CHANGED = 'metastore:address';

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(CHANGED, listener);
  };
}

function go(change: Record<string, string | null>, replace: boolean): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  const address = `${location.pathname}${text ? `?${text}` : ''}`;
  if (replace) history.replaceState(history.state, '', address);
  else history.pushState({ opened: true }, '', address);
  window.dispatchEvent(new Event(CHANGED));
}

/** Returns the open folder and file, and functions to open others. Going back closes what was opened last. */
export function useSharedAddress() {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const found = useMemo(() => new URLSearchParams(search), [search]);
  const viewed = found.get('view');
  const showFile = useCallback(
    (id: string) => go({ view: id }, new URLSearchParams(location.search).has('view')),
    [],
  );
  const closeFile = useCallback(() => {
    if (history.state?.opened) history.back();
    else go({ view: null }, true);
  }, []);
  const openFolder = useCallback((id: string | null) => go({ folder: id, view: null }, false), []);
  return { folderId: found.get('folder'), viewed, showFile, closeFile, openFolder };
}
