import { useCallback, useEffect, useRef, useState } from 'react';

const MS = 3_000;

/** Whether there was no user activity for a while; `reportActivity` reports activity. */
export function useIdle(enabled: boolean) {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const reportActivity = useCallback(() => {
    setIdle(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setIdle(true), MS);
  }, []);
  useEffect(() => {
    if (enabled) reportActivity();
    return () => clearTimeout(timer.current);
  }, [enabled, reportActivity]);
  return { idle: enabled && idle, reportActivity };
}
