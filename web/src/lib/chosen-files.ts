/**
 * Files that the user dropped or picked, with their folders. Where the browser provides handles (Chromium), they are
 * stored, so that an upload can resume after a reload without choosing the file again.
 */

/** A file and its folder relative to what was chosen; `path` is '' for a file chosen itself. */
export interface ChosenFile {
  file: File;
  path: string;
  handle?: FileSystemFileHandle;
}

type OnEmpty = (path: string) => void;

/**
 * Returns everything in a drop, folders recursively. Call it in the event handler itself: the browser empties the data
 * transfer as soon as the handler returns, so all entries are taken before the first `await`. `onEmpty` gets the paths of
 * empty folders.
 */
export function filesOfDrop(transfer: DataTransfer, onEmpty: OnEmpty = () => {}): Promise<ChosenFile[]> {
  const taken = Array.from(transfer.items)
    .filter((item) => item.kind === 'file')
    .map((item) => ({
      handle: item.getAsFileSystemHandle?.().catch(() => null),
      entry: item.webkitGetAsEntry?.() ?? null,
      file: item.getAsFile(),
    }));
  return Promise.all(
    taken.map(async ({ handle, entry, file }) => {
      const found = await handle;
      if (found) return await filesOfHandle(found, '', onEmpty);
      if (entry) return await filesOfEntry(entry, '', onEmpty);
      return file ? [{ file, path: '' }] : [];
    }),
  ).then((lists) => lists.flat());
}

/** The files of an `<input type="file">`, with `webkitdirectory` or without. */
export function filesOfInput(files: Iterable<File>): ChosenFile[] {
  return Array.from(files, (file) => ({
    file,
    path: file.webkitRelativePath.split('/').slice(0, -1).join('/'),
  }));
}

/** Opens the browser's picker that gives handles; `null` where there is none, `[]` when the user dismisses it. */
export async function pickWithHandles(): Promise<ChosenFile[] | null> {
  if (!window.showOpenFilePicker) return null;
  try {
    const handles = await window.showOpenFilePicker({ multiple: true });
    return await Promise.all(
      handles.map(async (handle) => ({ file: await handle.getFile(), path: '', handle })),
    );
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return [];
    return null;
  }
}

async function filesOfHandle(
  handle: FileSystemHandle,
  path: string,
  onEmpty: OnEmpty,
): Promise<ChosenFile[]> {
  if (handle.kind === 'file') {
    const fileHandle = handle as FileSystemFileHandle;
    return [{ file: await fileHandle.getFile(), path, handle: fileHandle }];
  }
  const below: Promise<ChosenFile[]>[] = [];
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    below.push(filesOfHandle(child, join(path, handle.name), onEmpty));
  }
  if (!below.length) onEmpty(join(path, handle.name));
  return (await Promise.all(below)).flat();
}

async function filesOfEntry(entry: FileSystemEntry, path: string, onEmpty: OnEmpty): Promise<ChosenFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ file, path }];
  }
  const children = await childrenOf(entry as FileSystemDirectoryEntry);
  const here = join(path, entry.name);
  if (!children.length) onEmpty(here);
  return (await Promise.all(children.map((child) => filesOfEntry(child, here, onEmpty)))).flat();
}

/** A directory reader gives its entries in batches (100 in Chromium) and an empty one at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (!batch.length) return all;
    all.push(...batch);
  }
}

function join(path: string, name: string): string {
  return path ? `${path}/${name}` : name;
}
