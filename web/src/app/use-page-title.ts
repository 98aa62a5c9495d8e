import { useDocumentTitle } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';
import { useUploadShare } from '@/features/uploads';
import { formatPercent } from '@/lib/format';
import { type CurrentPlace, useViewed } from './place';

/** Sets the document's title to the page's, prefixed with the progress of uploads. */
export function usePageTitle(place: CurrentPlace): void {
  const { t, i18n } = useTranslation();
  const share = useUploadShare();
  const viewed = useViewed(({ name }) => name);
  const parts = [
    share === null ? null : formatPercent(share, i18n.language),
    viewed ?? place.title ?? (place.name || t('files.drive')),
    t('common.appName'),
  ];
  useDocumentTitle(parts.filter(Boolean).join(' · '));
}
