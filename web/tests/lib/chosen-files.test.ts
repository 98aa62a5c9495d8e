import { describe, expect, it } from 'vitest';
import { filesOfDrop, filesOfInput } from '@/lib/chosen-files';

function fileEntry(name: string): FileSystemEntry {
  return {
    isFile: true,
    isDirectory: false,
    name,
    file: (resolve: (file: File) => void) => resolve(new File(['x'], name)),
  } as unknown as FileSystemEntry;
}

/** A folder whose reader returns its entries in batches, as in browsers. */
function folderEntry(name: string, children: FileSystemEntry[], batch = 100): FileSystemEntry {
  return {
    isFile: false,
    isDirectory: true,
    name,
    createReader: () => {
      let given = 0;
      return {
        readEntries: (resolve: (entries: FileSystemEntry[]) => void) => {
          resolve(children.slice(given, given + batch));
          given += batch;
        },
      };
    },
  } as unknown as FileSystemEntry;
}

function drop(entries: FileSystemEntry[]): DataTransfer {
  return {
    items: entries.map((entry) => ({ kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => null })),
  } as unknown as DataTransfer;
}

const shown = (files: { path: string; file: File }[]) =>
  files.map(({ path, file }) => (path ? `${path}/${file.name}` : file.name)).sort();

describe('a drop', () => {
  it('contains files with their folders', async () => {
    const tree = folderEntry('trip', [fileEntry('a.jpg'), folderEntry('day 1', [fileEntry('b.jpg')])]);
    expect(shown(await filesOfDrop(drop([tree, fileEntry('c.txt')])))).toEqual([
      'c.txt',
      'trip/a.jpg',
      'trip/day 1/b.jpg',
    ]);
  });

  it('reports empty folders', async () => {
    const empty: string[] = [];
    const tree = folderEntry('trip', [fileEntry('a.jpg'), folderEntry('day 1', [folderEntry('night', [])])]);
    await filesOfDrop(drop([tree, folderEntry('bare', [])]), (path) => empty.push(path));
    expect(empty.sort()).toEqual(['bare', 'trip/day 1/night']);
  });

  it('is read in batches', async () => {
    const many = Array.from({ length: 250 }, (_, index) => fileEntry(`${index}.txt`));
    expect(await filesOfDrop(drop([folderEntry('many', many)]))).toHaveLength(250);
  });

  it('fails if a folder cannot be read', async () => {
    const broken = {
      isFile: false,
      name: 'broken',
      createReader: () => ({
        readEntries: (_: unknown, reject: (e: Error) => void) => reject(new Error('no')),
      }),
    } as unknown as FileSystemEntry;
    await expect(filesOfDrop(drop([broken]))).rejects.toThrow();
  });

  it('contains handles where the browser provides them', async () => {
    const handle = { kind: 'file', name: 'h.txt', getFile: async () => new File(['h'], 'h.txt') };
    const transfer = {
      items: [{ kind: 'file', getAsFileSystemHandle: async () => handle, getAsFile: () => null }],
    } as unknown as DataTransfer;
    expect((await filesOfDrop(transfer))[0]?.handle).toBe(handle);
  });

  it('falls back to plain files', async () => {
    const file = new File(['p'], 'plain.txt');
    const transfer = {
      items: [{ kind: 'file', getAsFile: () => file }, { kind: 'string' }],
    } as unknown as DataTransfer;
    expect(await filesOfDrop(transfer)).toEqual([{ file, path: '' }]);
  });
});

describe('a chosen folder', () => {
  it('contains files with their folders', () => {
    const file = new File([''], 'b.txt');
    Object.defineProperty(file, 'webkitRelativePath', { value: 'a/sub/b.txt' });
    expect(filesOfInput([file])[0]?.path).toBe('a/sub');
  });
});
