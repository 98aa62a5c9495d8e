import { createMemoryHistory } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { App } from '@/app/app';
import { queryClient } from '@/app/query-client';
import { createAppRouter } from '@/app/router';
import { setShareTarget } from '@/app/share-target';
import { uploads } from '@/features/uploads';
import { chooseLanguage } from '@/i18n';
import { useConnection } from '@/lib/connection';

/**
 * Renders the whole app at an address, without any state of earlier tests. `at` and `search` return the current path and
 * search, `back` navigates back.
 */
export async function openApp(path: string) {
  queryClient.clear();
  queryClient.setDefaultOptions({ queries: { ...queryClient.getDefaultOptions().queries, retry: false } });
  uploads.leave();
  setShareTarget(null);
  useConnection.setState({ online: true, reachable: true });
  await chooseLanguage('en');
  const router = createAppRouter(createMemoryHistory({ initialEntries: [path] }));
  render(<App router={router} />);
  return {
    user: userEvent.setup(),
    at: () => router.state.location.pathname,
    search: () => router.state.location.search,
    back: () => router.history.back(),
  };
}
