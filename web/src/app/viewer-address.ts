/** The viewed file in the address: `?view=<file>` on the page that it was opened from. */
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** Whether the viewer was opened from the page below, so that going back closes it. */
    viewerOpened?: boolean;
  }
}

/** The viewer's part of an address. */
export interface Viewing {
  view?: string;
}

/** Parses the viewer's part of an address. */
export function viewingOf({ view }: Record<string, unknown>): Viewing {
  return typeof view === 'string' && view ? { view } : {};
}

/**
 * Returns the viewed file, and functions to view another or none. The viewer is a single history entry, however many
 * files are viewed, and the browser's back button closes it.
 */
export function useViewerAddress() {
  const fileId = useSearch({
    strict: false,
    select: (found) => viewingOf(found as Record<string, unknown>).view ?? null,
  });
  const navigate = useNavigate();
  const { history } = useRouter();
  return useMemo(
    () => ({
      fileId,
      show: ({ id }: { id: string }) => {
        const open = viewingOf(Object.fromEntries(new URLSearchParams(history.location.search))).view;
        void navigate({
          to: '.',
          search: (now: object) => ({ ...now, view: id }),
          ...(open ? { replace: true, state: true } : { state: { viewerOpened: true } }),
        });
      },
      close: () => {
        if (history.location.state.viewerOpened) history.back();
        else {
          void navigate({
            to: '.',
            search: ({ view: _, ...rest }: Viewing & object) => rest,
            replace: true,
          });
        }
      },
    }),
    [fileId, navigate, history],
  );
}
