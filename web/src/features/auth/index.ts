/** Accounts: signing up, in and out, and who is signed in. */
export { UserMenu } from './components/user-menu';
export { RegisterPage } from './pages/register-page';
export { SignInPage } from './pages/sign-in-page';
export { meQuery, useMe, useSignOut } from './queries';
