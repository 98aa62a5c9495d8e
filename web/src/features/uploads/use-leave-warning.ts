import { useEffect } from 'react';
import { isActive } from './engine/status';
import { useUploads } from './uploads';

/** Lets the browser ask before closing the page during uploads. */
export function useLeaveWarning(): void {
  const active = useUploads(({ items }) => Object.values(items).some(({ status }) => isActive(status)));
  useEffect(() => {
    if (!active) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [active]);
}
