/** The drive: folders, files, search and the trash, with their actions. */
export { SearchBox } from './components/search-box';
export { NewFolderDialog } from './dialogs/new-folder-dialog';
export type { Listed } from './model/listed';
export { DrivePage, type Place } from './pages/drive-page';
export { SearchPage } from './pages/search-page';
export { TrashPage } from './pages/trash-page';
export { refreshFiles, refreshSearches, SEARCH_TYPES, type SearchType } from './queries';
export { type UnfinishedUploads, UnfinishedUploadsProvider } from './unfinished-uploads';
export { useFileActions } from './use-file-actions';
