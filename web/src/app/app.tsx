import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { I18nextProvider } from 'react-i18next';
import { i18next } from '@/i18n';
import { NamedCloseButtons } from './close-buttons';
import { ConnectionBanner } from './connection-banner';
import { queryClient } from './query-client';
import type { AppRouter } from './router';
import { cssVariables, theme } from './theme';
import { Toasts } from './toasts';

const schemes = localStorageColorSchemeManager({ key: 'metastore.color-scheme' });

/** The providers around all pages. */
export function App({ router }: { router: AppRouter }) {
  return (
    <I18nextProvider i18n={i18next}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        colorSchemeManager={schemes}
        defaultColorScheme="auto"
      >
        <QueryClientProvider client={queryClient}>
          <NamedCloseButtons>
            <Toasts />
            <ConnectionBanner />
            <RouterProvider router={router} />
          </NamedCloseButtons>
        </QueryClientProvider>
      </MantineProvider>
    </I18nextProvider>
  );
}
