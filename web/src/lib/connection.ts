/** The state of the network and the server; updated by every request, shown by the banner. */
import { create } from 'zustand';

interface Connection {
  online: boolean;
  reachable: boolean;
}

/** The state of the connection. */
export const useConnection = create<Connection>(() => ({
  online: typeof navigator === 'undefined' || navigator.onLine !== false,
  reachable: true,
}));

/** Records that a request got a response. */
export function reportReachable(): void {
  if (!useConnection.getState().reachable) useConnection.setState({ reachable: true });
}

/** Records that a request got no response. */
export function reportUnreachable(): void {
  if (useConnection.getState().reachable) useConnection.setState({ reachable: false });
}

/** Follows the browser's online state. Returns a function that stops it. */
export function trackOnlineState(): () => void {
  const update = () => useConnection.setState({ online: navigator.onLine });
  window.addEventListener('online', update);
  window.addEventListener('offline', update);
  return () => {
    window.removeEventListener('online', update);
    window.removeEventListener('offline', update);
  };
}
