import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** The choice of light, dark or system colours. */
export function SchemeChoice() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      aria-label={t('account.scheme.label')}
      value={colorScheme}
      onChange={(scheme) => setColorScheme(scheme as 'auto' | 'light' | 'dark')}
      data={(['auto', 'light', 'dark'] as const).map((value) => ({
        value,
        label: t(`account.scheme.${value}`),
      }))}
      data-testid="color-scheme"
    />
  );
}
