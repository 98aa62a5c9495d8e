/** Whether there is a network, and whether the server answers; fed by every request, shown by the banner. */
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

/** A request was answered. */
export function reportReachable(): void {
  if (!useConnection.getState().reachable) useConnection.setState({ reachable: true });
}

/** A request got no answer. */
export function reportUnreachable(): void {
  if (useConnection.getState().reachable) useConnection.setState({ reachable: false });
}

/** Follows the browser's own idea of being online; returns how to stop. */
export function watchBrowser(): () => void {
  const update = () => useConnection.setState({ online: navigator.onLine });
  window.addEventListener('online', update);
  window.addEventListener('offline', update);
  return () => {
    window.removeEventListener('online', update);
    window.removeEventListener('offline', update);
  };
}
