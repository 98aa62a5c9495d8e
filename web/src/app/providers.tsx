import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { I18nextProvider } from 'react-i18next';
import { i18next } from '@/i18n';
import { NamedCloseButtons } from './close-buttons';
import { ConnectionBanner } from './connection-banner';
import { queryClient } from './query-client';
import { cssVariables, theme } from './theme';
import { Toasts } from './toasts';

const schemes = localStorageColorSchemeManager({ key: 'metastore.color-scheme' });

/** What all pages need around them: texts, theme, server state, toasts. */
export function Providers({ children }: { children: ReactNode }) {
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
            {children}
          </NamedCloseButtons>
        </QueryClientProvider>
      </MantineProvider>
    </I18nextProvider>
  );
}
