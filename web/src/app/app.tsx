import { RouterProvider } from '@tanstack/react-router';
import { Providers } from './providers';
import type { AppRouter } from './router';

/** The app: all pages of signed-in users, and those that sign them in. */
export function App({ router }: { router: AppRouter }) {
  return (
    <Providers>
      <RouterProvider router={router} />
    </Providers>
  );
}
