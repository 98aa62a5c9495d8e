/** Share links, for their owners: the dialog of a file or folder, and the page of all links. */
export { type Shareable, ShareDialog } from './share-dialog';
export { SharedLinksPage } from './shared-links-page';
