import { useEffect } from 'react';
import { useUploadsActive } from './uploads';

/** Lets the browser ask before closing the page during uploads. */
export function useLeaveWarning(): void {
  const active = useUploadsActive();
  useEffect(() => {
    if (!active) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [active]);
}
