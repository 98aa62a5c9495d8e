/** Each user's playback positions, stored in the browser. */
import { readStored, writeStored } from '@/lib/storage';

const MOST = 200;
/** Positions near the start or within the closing credits are not resumed. */
const EARLY_S = 8;
const LATE_SHARE = 0.95;
const LATE_S = 20;

type Positions = Record<string, { at: number; seen: number }>;

/** Returns where to resume a film of `duration` seconds; 0 for the start. */
export function positionOf(userId: string, fileId: string, duration: number): number {
  const at = read(userId)[fileId]?.at ?? 0;
  return isWorthKeeping(at, duration) ? at : 0;
}

/** Stores the position; near the start and the end, removes it. */
export function storePosition(userId: string, fileId: string, at: number, duration: number): void {
  const all = read(userId);
  if (isWorthKeeping(at, duration)) all[fileId] = { at: Math.round(at * 10) / 10, seen: Date.now() };
  else if (fileId in all) delete all[fileId];
  else return;
  const latest = Object.entries(all).sort(([, a], [, b]) => b.seen - a.seen);
  writeStored(keyOf(userId), JSON.stringify(Object.fromEntries(latest.slice(0, MOST))));
}

function isWorthKeeping(at: number, duration: number): boolean {
  if (at < EARLY_S) return false;
  return duration <= 0 || (at < duration * LATE_SHARE && at < duration - Math.min(LATE_S, duration / 4));
}

function keyOf(userId: string): string {
  return `metastore.positions.${userId}`;
}

function read(userId: string): Positions {
  try {
    const found: unknown = JSON.parse(readStored(keyOf(userId)) ?? '{}');
    return found && typeof found === 'object' ? (found as Positions) : {};
  } catch {
    return {};
  }
}
