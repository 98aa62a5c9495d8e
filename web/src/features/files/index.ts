/** The drive: folders, files, the trash, and what can be done to them. */
export { NewFolderDialog } from './dialogs/new-folder-dialog';
export { type HalfUploads, HalfUploadsProvider } from './half-uploads';
export { DrivePage, type Place } from './pages/drive-page';
export { TrashPage } from './pages/trash-page';
export { refreshFiles } from './queries';
