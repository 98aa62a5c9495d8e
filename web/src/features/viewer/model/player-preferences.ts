/** The user's volume, speed and subtitle preferences, stored in the browser. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';

/** The available speeds. */
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

interface PlayerPreferences {
  volume: number;
  muted: boolean;
  speed: number;
  /** The language of the subtitles shown last; none when they were turned off. */
  subtitles: string | null;
}

/** The preferences. */
export const usePlayerPreferences = create<PlayerPreferences>()(
  persist((): PlayerPreferences => ({ volume: 1, muted: false, speed: 1, subtitles: null }), {
    name: 'metastore.player',
  }),
);

/** The next slower or faster speed. */
export function nextSpeed(speed: number, way: -1 | 1): number {
  const at = SPEEDS.findIndex((one) => one >= speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + way))] ?? 1;
}
