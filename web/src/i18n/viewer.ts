/** The viewer's texts, loaded together with the viewer. */
import en from './en/viewer';
import { i18next } from './index';
import vi from './vi/viewer';

/** The texts by language. */
export const viewerTexts = { en, vi };

for (const [language, viewer] of Object.entries(viewerTexts)) {
  i18next.addResourceBundle(language, 'translation', { viewer }, true);
}
