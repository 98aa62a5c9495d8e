/** The file that is looked at, as it stands in the address: `?view=<file>` on the page that it was opened from. */
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The viewer was opened from the page below it, so going back closes it. */
    viewerOpened?: boolean;
  }
}

/** What the address says of the viewer. */
export interface Viewing {
  view?: string;
}

/** Reads the viewer's part of an address. */
export function viewingOf({ view }: Record<string, unknown>): Viewing {
  return typeof view === 'string' && view ? { view } : {};
}

/**
 * The file that is looked at, and how to look at another or none. However many files were looked at, the viewer is
 * one step of the history, and the browser's back button closes it.
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
