import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { SharedLinksPage } from '@/features/sharing';
import { ROOT, setPlace } from '../place';

/** `/shared-links` */
export function SharedLinksRoute() {
  const { t } = useTranslation();
  const title = t('sharing.links');
  useEffect(() => setPlace({ ...ROOT, title }), [title]);
  return <SharedLinksPage />;
}
