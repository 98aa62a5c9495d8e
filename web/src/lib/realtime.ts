/**
 * The realtime connection: one Socket.IO connection for the page, open while somebody is signed in. It reconnects by
 * itself; when the server refuses it because the session has expired, the session is renewed first.
 */
import { io, type Socket } from 'socket.io-client';

type Listener = (payload: unknown) => void;

const listeners = new Map<string, Set<Listener>>();
let socket: Socket | null = null;

/** Opens the connection. `renew` renews the session and resolves to whether it succeeded. Returns a function that closes it. */
export function openRealtime(renew: () => Promise<boolean>): () => void {
  const opened = io({
    path: '/socket.io',
    transports: ['websocket', 'polling'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    timeout: 10_000,
  });
  let connectedBefore = false;
  let refusals = 0;
  opened.on('connect', () => {
    refusals = 0;
    if (connectedBefore) emit('reconnected', null);
    connectedBefore = true;
  });
  opened.on('connect_error', () => {
    // `active` means that the client reconnects by itself: a network failure, not a refusal.
    if (opened.active) return;
    refusals += 1;
    setTimeout(
      async () => {
        const renewed = await renew().catch(() => true);
        if (renewed && socket === opened) opened.connect();
      },
      Math.min(30_000, 1_000 * 2 ** (refusals - 1)),
    );
  });
  opened.on('disconnect', (reason) => {
    // The server closed this socket, as at the end of its session: renew the session first.
    if (reason !== 'io server disconnect') return;
    void renew().then(
      (renewed) => renewed && socket === opened && opened.connect(),
      () => socket === opened && opened.connect(),
    );
  });
  opened.onAny((event: string, payload: unknown) => emit(event, payload));
  socket = opened;
  return () => {
    if (socket === opened) socket = null;
    opened.close();
  };
}

/** Listens to one of the server's events, or to `reconnected`. Returns a function that stops it. */
export function onRealtime(event: string, listener: Listener): () => void {
  const all = listeners.get(event) ?? new Set();
  all.add(listener);
  listeners.set(event, all);
  return () => all.delete(listener);
}

function emit(event: string, payload: unknown): void {
  for (const listener of listeners.get(event) ?? []) listener(payload);
}
