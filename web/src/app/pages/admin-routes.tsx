import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { AnalyticsPage } from '@/features/analytics';
import { useMe } from '@/features/auth';
import { DeadEventsPage } from '@/features/dead-events';
import { ROOT, setPlace } from '../place';
import { NotFound } from './not-found-page';

/** `/admin/events` */
export function DeadEventsRoute() {
  const { t } = useTranslation();
  return (
    <ForAdmins title={t('admin.dead.title')}>
      <DeadEventsPage />
    </ForAdmins>
  );
}

/** `/admin/analytics` */
export function AnalyticsRoute() {
  const { t } = useTranslation();
  return (
    <ForAdmins title={t('admin.analytics.title')}>
      <AnalyticsPage />
    </ForAdmins>
  );
}

/** Shows the not-found page to everybody else; the server refuses them as well. */
function ForAdmins({ title, children }: { title: string; children: ReactNode }) {
  const me = useMe();
  useEffect(() => setPlace({ ...ROOT, title }), [title]);
  return me.data?.role === 'ADMIN' ? children : <NotFound />;
}
