/** What the user's tabs in this browser tell each other. */

const NAME = 'metastore.tabs';

/** Tells the other tabs that something happened; who listens in this one may hear it too. */
export function tellTabs(what: string): void {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(NAME);
  channel.postMessage(what);
  channel.close();
}

/** Listens to the other tabs. Returns how to stop. */
export function onTabs(what: string, listener: () => void): () => void {
  if (typeof BroadcastChannel === 'undefined') return () => {};
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => data === what && listener();
  return () => channel.close();
}
