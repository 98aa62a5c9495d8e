/**
 * The live line to the server: one Socket.IO connection for the page, opened while somebody is signed in. It
 * comes back by itself after a loss; when the server turns it away because the session has expired, the session
 * is renewed first.
 */
import { io, type Socket } from 'socket.io-client';

type Listener = (payload: unknown) => void;

const listeners = new Map<string, Set<Listener>>();
let socket: Socket | null = null;

/** Opens the line. `renew` renews the session and says whether that worked. Returns how to close it. */
export function openRealtime(renew: () => Promise<boolean>): () => void {
  const opened = io({
    path: '/socket.io',
    transports: ['websocket', 'polling'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    timeout: 10_000,
  });
  let connectedBefore = false;
  let turnedAway = 0;
  opened.on('connect', () => {
    turnedAway = 0;
    if (connectedBefore) tell('reconnected', null);
    connectedBefore = true;
  });
  opened.on('connect_error', () => {
    // `active` means that the client tries again by itself: the network's trouble, not a refusal.
    if (opened.active) return;
    turnedAway += 1;
    setTimeout(
      async () => {
        const renewed = await renew().catch(() => true);
        if (renewed && socket === opened) opened.connect();
      },
      Math.min(30_000, 1_000 * 2 ** (turnedAway - 1)),
    );
  });
  opened.on('disconnect', (reason) => {
    // The server closed this socket on purpose, as at the end of its session: ask before coming back.
    if (reason !== 'io server disconnect') return;
    void renew().then(
      (renewed) => renewed && socket === opened && opened.connect(),
      () => socket === opened && opened.connect(),
    );
  });
  opened.onAny((event: string, payload: unknown) => tell(event, payload));
  socket = opened;
  return () => {
    if (socket === opened) socket = null;
    opened.close();
  };
}

/** Listens to one of the server's events, or to `reconnected`. Returns how to stop. */
export function onRealtime(event: string, listener: Listener): () => void {
  const all = listeners.get(event) ?? new Set();
  all.add(listener);
  listeners.set(event, all);
  return () => all.delete(listener);
}

function tell(event: string, payload: unknown): void {
  for (const listener of listeners.get(event) ?? []) listener(payload);
}
