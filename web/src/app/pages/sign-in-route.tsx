import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { LanguageChoice } from '@/features/account';
import { SignInPage } from '@/features/auth';

/** `/sign-in?next=…`; redirects there afterwards. */
export function SignInRoute() {
  const { next, ended } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const { history } = useRouter();
  const goOn = () => {
    // Same-origin addresses only: no open redirect.
    if (next && /^\/(?![/\\])/.test(next)) history.replace(next);
    else void navigate({ to: '/drive', replace: true });
  };
  return <SignInPage ended={ended ?? false} corner={<LanguageChoice size="xs" />} onSignedIn={goOn} />;
}
