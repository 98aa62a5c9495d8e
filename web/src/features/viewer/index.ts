/** The viewer for films, audio, pictures, documents and text. */
import '@/i18n/viewer';

export type { ViewerSource } from './source';
export { Viewer } from './viewer';
