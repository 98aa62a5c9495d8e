/** Messages between the user's tabs in this browser. */

const NAME = 'metastore.tabs';

/** Sends a message to the other tabs; listeners in this one may get it too. */
export function notifyTabs(what: string): void {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(NAME);
  channel.postMessage(what);
  channel.close();
}

/** Listens to the other tabs. Returns a function that stops it. */
export function onTabs(what: string, listener: () => void): () => void {
  if (typeof BroadcastChannel === 'undefined') return () => {};
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => data === what && listener();
  return () => channel.close();
}
