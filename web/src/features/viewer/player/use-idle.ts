import { useCallback, useEffect, useRef, useState } from 'react';

const MS = 3_000;

/** Whether there was no user activity for a while; `stir` reports activity. */
export function useIdle(enabled: boolean) {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stir = useCallback(() => {
    setIdle(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setIdle(true), MS);
  }, []);
  useEffect(() => {
    if (enabled) stir();
    return () => clearTimeout(timer.current);
  }, [enabled, stir]);
  return { idle: enabled && idle, stir };
}
