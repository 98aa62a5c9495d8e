/** The page of a share link, for visitors without an account. */
import '@/i18n/shared';

export { SharedPage, type ViewerProps } from './shared-page';
