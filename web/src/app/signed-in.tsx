import { Loader } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { Outlet, useNavigate, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import { FailedState } from '@/components/notice-state';
import { useMe } from '@/features/auth';
import { Shell } from './shell';

/** Renders its children for signed-in users; redirects others to the sign-in page and back afterwards. */
export function SignedIn() {
  const { t } = useTranslation();
  const me = useMe();
  if (me.data) {
    return (
      <Shell user={me.data}>
        <Outlet />
      </Shell>
    );
  }
  if (isProblem(me.error, 401, 403)) return <RedirectToSignIn />;
  if (me.isError) {
    return (
      <main id="content">
        <FailedState
          icon={<IconPlugConnectedX size={34} />}
          title={t('common.error.unreachable')}
          error={me.error}
          onRetry={() => void me.refetch()}
        />
      </main>
    );
  }
  return (
    <main id="content" style={{ display: 'grid', placeItems: 'center', height: '100%' }}>
      <Loader aria-label={t('common.loading')} />
    </main>
  );
}

/** Redirects to the sign-in page once, keeping the requested address. */
function RedirectToSignIn() {
  const navigate = useNavigate();
  const { history } = useRouter();
  useEffect(() => {
    const { href } = history.location;
    const next = href === '/' || href === '/drive' ? {} : { next: href };
    void navigate({ to: '/sign-in', search: next, replace: true });
  }, [navigate, history]);
  return null;
}
