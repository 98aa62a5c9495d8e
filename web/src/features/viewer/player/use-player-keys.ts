import { useViewerKeys } from '../viewer-keys';
import type { Controls } from './use-controls';

/** The player's keyboard shortcuts, following common players. */
export function usePlayerKeys(controls: Controls, duration: number, onKey: () => void): void {
  useViewerKeys(({ key, shiftKey }) => {
    const actions: Record<string, () => void> = {
      ' ': controls.toggle,
      k: controls.toggle,
      j: () => controls.skip(-10),
      l: () => controls.skip(10),
      m: controls.mute,
      f: controls.fullscreen,
      c: controls.subtitles,
      '<': () => controls.changeSpeed(-1),
      '>': () => controls.changeSpeed(1),
      // With Shift they navigate to the neighbouring files.
      ...(shiftKey ? {} : { ArrowLeft: () => controls.skip(-5), ArrowRight: () => controls.skip(5) }),
      ArrowUp: () => controls.changeVolume(0.05),
      ArrowDown: () => controls.changeVolume(-0.05),
    };
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (action) action();
    else if (/^\d$/.test(key)) controls.seek((duration * Number(key)) / 10);
    else return false;
    onKey();
    return true;
  });
}
