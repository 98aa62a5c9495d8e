import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

const LONGEST_MS = 8_000;
const SETTLED_MS = 120;

/**
 * Shows the last frame of a video over it while its source is replaced, so that nothing flickers. Call `freeze` before
 * the change; `changing` is true while it lasts. Render `canvas` over the video while `shown`.
 */
export function useFrozen(video: RefObject<HTMLVideoElement | null>) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [shown, setShown] = useState(false);
  const freeze = useCallback(() => {
    const [picture, element] = [canvas.current, video.current];
    if (!picture || !element?.videoWidth || element.readyState < 2) return;
    picture.width = element.videoWidth;
    picture.height = element.videoHeight;
    picture.getContext('2d')?.drawImage(element, 0, 0);
    setShown(true);
  }, [video]);
  return { canvas, shown, freeze, setShown };
}

/** Removes the held frame shortly after the change. */
export function useUnfreeze({ shown, setShown }: ReturnType<typeof useFrozen>, changing: boolean): void {
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(false), changing ? LONGEST_MS : SETTLED_MS);
    return () => clearTimeout(timer);
  }, [shown, setShown, changing]);
}
