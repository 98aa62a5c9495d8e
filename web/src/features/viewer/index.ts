/** The viewer for films, audio, pictures, documents and text. */
import '@/i18n/viewer';

export { Viewer } from './viewer';
