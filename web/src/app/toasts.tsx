import { MantineThemeProvider } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

/** Short messages: below the page, or above it on narrow screens, where the uploads have the bottom. */
export function Toasts() {
  const { t } = useTranslation();
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;
  const close = t('common.close');
  const theme = useMemo(() => {
    const closeButtonProps = { 'aria-label': close };
    return { components: { Notification: { defaultProps: { closeButtonProps } } } };
  }, [close]);
  return (
    <MantineThemeProvider inherit theme={theme}>
      <Notifications
        position={narrow ? 'top-center' : 'bottom-center'}
        limit={3}
        autoClose={6000}
        containerWidth={380}
        zIndex={450}
      />
    </MantineThemeProvider>
  );
}
