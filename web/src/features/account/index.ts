/** The account: storage, settings, signed-in devices. */
export { LanguageChoice } from './components/language-choice';
export { StorageMeter } from './components/storage-meter';
export { SettingsPage } from './settings-page';
