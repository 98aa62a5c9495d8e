import { SegmentedControl } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, type Language, languages } from '@/i18n';

/** The choice of language. */
export function LanguageChoice({ size = 'sm' }: { size?: 'xs' | 'sm' }) {
  const { t, i18n } = useTranslation();
  return (
    <SegmentedControl
      size={size}
      aria-label={t('account.language')}
      value={i18n.language}
      onChange={(code) => void chooseLanguage(code as Language)}
      data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
      data-testid="language"
    />
  );
}
