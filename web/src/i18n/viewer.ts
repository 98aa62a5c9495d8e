/** The viewer's texts: they are loaded with it, and not by those who never look at a file. */
import en from './en/viewer';
import { i18next } from './index';
import vi from './vi/viewer';

/** The texts by language. */
export const viewerTexts = { en, vi };

for (const [language, viewer] of Object.entries(viewerTexts)) {
  i18next.addResourceBundle(language, 'translation', { viewer }, true);
}
