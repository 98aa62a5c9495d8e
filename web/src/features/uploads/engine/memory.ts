/**
 * This browser's memory of its unfinished uploads: the name and date of the file and, if the browser provides one, a
 * handle to read it again after a reload. It is in IndexedDB, the only storage that accepts handles.
 */
import type { FileMark } from './types';

/** A remembered upload. */
export interface RememberedFile extends FileMark {
  uploadId: string;
  handle: FileSystemFileHandle | null;
}

/** The storage of remembered uploads. It never throws. */
export interface UploadMemory {
  remember(file: RememberedFile): Promise<void>;
  recall(): Promise<Map<string, RememberedFile>>;
  forget(uploadId: string): Promise<void>;
}

const DATABASE = 'metastore';
const STORE = 'unfinished-uploads';

/** The storage in IndexedDB; where that is blocked, the user has to choose files again. */
export const browserMemory: UploadMemory = {
  async remember(file) {
    await act('readwrite', (store) => store.put(file)).catch(() =>
      act('readwrite', (s) => s.put({ ...file, handle: null })).catch(() => undefined),
    );
  },
  async recall() {
    const all = await act<RememberedFile[]>('readonly', (store) => store.getAll()).catch(() => []);
    return new Map(all.map((file) => [file.uploadId, file]));
  },
  async forget(uploadId) {
    await act('readwrite', (store) => store.delete(uploadId)).catch(() => undefined);
  },
};

async function act<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const database = await open();
  try {
    return await settled<T>(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'uploadId' });
  return settled(request);
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
