/** Looking at files: films, sounds, pictures, documents, text. */
import '@/i18n/viewer';

export { Viewer } from './viewer';
