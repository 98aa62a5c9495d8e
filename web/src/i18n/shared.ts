/** The texts of share links' pages, loaded together with these. */
import en from './en/shared';
import { i18next } from './index';
import vi from './vi/shared';

/** The texts by language. */
export const sharedTexts = { en, vi };

for (const [language, shared] of Object.entries(sharedTexts)) {
  i18next.addResourceBundle(language, 'translation', { shared }, true);
}
