/** The parts of the File System Access API that TypeScript's DOM library leaves out (Chromium has them). */
interface FileSystemHandlePermissionDescriptor {
  mode: 'read' | 'readwrite';
}

interface FileSystemHandle {
  queryPermission?(descriptor: FileSystemHandlePermissionDescriptor): Promise<PermissionState>;
  requestPermission?(descriptor: FileSystemHandlePermissionDescriptor): Promise<PermissionState>;
}

interface DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

interface Window {
  showOpenFilePicker?(options?: { multiple?: boolean }): Promise<FileSystemFileHandle[]>;
}
