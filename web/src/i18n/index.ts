/** Languages: the one chosen in the settings, else the browser's if supported, else English. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { readStored, writeStored } from '@/lib/storage';
import { texts as en } from './en';
import type shared from './en/shared';
import type viewer from './en/viewer';
import { texts as vi } from './vi';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    /** The texts of the viewer and of links' pages are loaded with these: see `viewer.ts` and `shared.ts`. */
    resources: { translation: typeof en & { viewer: typeof viewer; shared: typeof shared } };
  }
}

const KEY = 'metastore.language';

/** The languages, by their own names. */
export const languages = { en: 'English', vi: 'Tiếng Việt' } as const;

/** A language's code. */
export type Language = keyof typeof languages;

function isLanguage(code: string | null | undefined): code is Language {
  return code === 'en' || code === 'vi';
}

/** Returns the language to start with. */
export function firstLanguage(chosen = readStored(KEY), wanted = navigator.languages ?? []): Language {
  if (isLanguage(chosen)) return chosen;
  return wanted.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en';
}

/** Switches the language and stores the choice. */
export async function chooseLanguage(language: Language): Promise<void> {
  writeStored(KEY, language);
  await i18next.changeLanguage(language);
}

i18next.on('languageChanged', (language) => {
  document.documentElement.lang = language;
});

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, vi: { translation: vi } },
  lng: firstLanguage(),
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
  returnNull: false,
});

export { i18next };
