/** Accounts: registration, signing in and out, the current user. */
export { UserMenu } from './components/user-menu';
export { RegisterPage } from './pages/register-page';
export { SignInPage } from './pages/sign-in-page';
export { meQuery, useMe, useSignOut } from './queries';
