/** Uploads: the engine, the panel, the drop zone and the file pickers. */
export { DropZone } from './components/drop-zone';
export { UploadInputs, useUploadPickers } from './components/upload-inputs';
export { UploadPanel } from './components/upload-panel';
export { isActive } from './engine/status';
export { percentOf } from './engine/totals';
export type { UploadItem } from './engine/types';
export { uploads, useUploadOfFile, useUploadShare, useUploads, whenUploadsChange } from './uploads';
