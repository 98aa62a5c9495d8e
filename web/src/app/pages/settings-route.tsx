import { useEffect } from 'react';
import { SettingsPage } from '@/features/account';
import { useMe } from '@/features/auth';
import { ROOT, setPlace } from '../place';

/** `/settings` */
export function SettingsRoute() {
  const me = useMe();
  useEffect(() => setPlace(ROOT), []);
  return me.data ? <SettingsPage user={me.data} /> : null;
}
