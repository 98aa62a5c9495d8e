/** The app's routes. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  type RouterHistory,
  redirect,
} from '@tanstack/react-router';
import { AnalyticsRoute, DeadEventsRoute } from './pages/admin-routes';
import { CrashPage } from './pages/crash-page';
import { DriveRoute } from './pages/drive-route';
import { NotFoundPage } from './pages/not-found-page';
import { RegisterRoute } from './pages/register-route';
import { SearchRoute } from './pages/search-route';
import { SettingsRoute } from './pages/settings-route';
import { SharedLinksRoute } from './pages/shared-links-route';
import { SignInRoute } from './pages/sign-in-route';
import { TrashRoute } from './pages/trash-route';
import { searchOf } from './search';
import { SignedIn } from './signed-in';
import { viewingOf } from './viewer-address';

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignInRoute,
  validateSearch: (search: Record<string, unknown>): { next?: string; ended?: true } => ({
    ...(typeof search.next === 'string' ? { next: search.next } : {}),
    ...(search.ended ? { ended: true as const } : {}),
  }),
});
const register = createRoute({ getParentRoute: () => root, path: '/register', component: RegisterRoute });

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: SignedIn,
  validateSearch: viewingOf,
});
const start = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/drive' });
  },
});
const drive = createRoute({ getParentRoute: () => signedIn, path: '/drive', component: DriveRoute });
const folder = createRoute({
  getParentRoute: () => signedIn,
  path: '/drive/$folderId',
  component: DriveRoute,
});
const trash = createRoute({ getParentRoute: () => signedIn, path: '/trash', component: TrashRoute });
const sharedLinks = createRoute({
  getParentRoute: () => signedIn,
  path: '/shared-links',
  component: SharedLinksRoute,
});
const search = createRoute({
  getParentRoute: () => signedIn,
  path: '/search',
  component: SearchRoute,
  validateSearch: searchOf,
});
const deadEvents = createRoute({
  getParentRoute: () => signedIn,
  path: '/admin/events',
  component: DeadEventsRoute,
});
const analytics = createRoute({
  getParentRoute: () => signedIn,
  path: '/admin/analytics',
  component: AnalyticsRoute,
});
const settings = createRoute({ getParentRoute: () => signedIn, path: '/settings', component: SettingsRoute });

const routeTree = root.addChildren([
  signIn,
  register,
  signedIn.addChildren([start, drive, folder, sharedLinks, search, trash, settings, deadEvents, analytics]),
]);

/** Creates the router; `history` defaults to the browser's. */
export function createAppRouter(history?: RouterHistory) {
  return createRouter({ routeTree, ...(history ? { history } : {}) });
}

/** The app's router. */
export type AppRouter = ReturnType<typeof createAppRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
