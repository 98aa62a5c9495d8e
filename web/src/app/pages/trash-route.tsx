import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { TrashPage } from '@/features/files';
import { ROOT, setPlace } from '../place';

/** `/trash` */
export function TrashRoute() {
  const { t } = useTranslation();
  const title = t('files.trash');
  useEffect(() => setPlace({ ...ROOT, title }), [title]);
  return <TrashPage />;
}
