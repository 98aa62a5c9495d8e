import { MantineThemeProvider } from '@mantine/core';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

/** Labels the close buttons of dialogs, drawers and toasts in the user's language. */
export function NamedCloseButtons({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const name = t('common.close');
  const theme = useMemo(() => {
    const named = { defaultProps: { closeButtonProps: { 'aria-label': name } } };
    return { components: { Drawer: named, Modal: named, Notification: named } };
  }, [name]);
  return (
    <MantineThemeProvider inherit theme={theme}>
      {children}
    </MantineThemeProvider>
  );
}
