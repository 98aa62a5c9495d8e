import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { LanguageChoice } from '@/features/account';
import { SignInPage } from '@/features/auth';

/** `/sign-in?next=…`; afterwards the user is where it wanted to be. */
export function SignInRoute() {
  const { next, ended } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const { history } = useRouter();
  const goOn = () => {
    // Only an address of ours: a link must not send anybody elsewhere after signing in.
    if (next && /^\/(?![/\\])/.test(next)) history.replace(next);
    else void navigate({ to: '/drive', replace: true });
  };
  return <SignInPage ended={ended ?? false} corner={<LanguageChoice size="xs" />} onSignedIn={goOn} />;
}
