import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { SettingsPage } from '@/features/account';
import { useMe } from '@/features/auth';
import { ROOT, setPlace } from '../place';

/** `/settings` */
export function SettingsRoute() {
  const me = useMe();
  const { t } = useTranslation();
  const title = t('account.title');
  useEffect(() => setPlace({ ...ROOT, title }), [title]);
  return me.data ? <SettingsPage user={me.data} /> : null;
}
