/** The files of the rows: in memory if just chosen, else behind a stored handle. */
import type { ChosenFile } from '@/lib/chosen-files';
import type { UploadMemory } from './memory';
import { UploadFault, type UploadItem } from './types';

/** Holds the file of each row. */
export class FileSources {
  readonly #chosen = new Map<string, ChosenFile>();

  constructor(private readonly memory: UploadMemory) {}

  /** Sets the file of a row. */
  keep(id: string, chosen: ChosenFile): void {
    this.#chosen.set(id, chosen);
  }

  /** Drops the file of a row. */
  drop(id: string): void {
    this.#chosen.delete(id);
  }

  /** The row's file, if it was chosen on this page. */
  chosen(id: string): ChosenFile | undefined {
    return this.#chosen.get(id);
  }

  /**
   * Opens the remembered file of an interrupted upload; the browser may ask the user for permission. `false` when the
   * file cannot be read; throws a fault when it has changed.
   */
  async reopen(item: UploadItem): Promise<boolean> {
    const remembered = item.uploadId ? (await this.memory.recall()).get(item.uploadId) : undefined;
    const handle = remembered?.handle;
    if (!handle || !(await requestReadPermission(handle))) return false;
    const file = await handle.getFile().catch(() => null);
    if (!file) throw new UploadFault('file-changed');
    if (file.size !== item.size || (item.lastModified !== null && file.lastModified !== item.lastModified)) {
      throw new UploadFault('file-changed');
    }
    this.keep(item.id, { file, path: '', handle });
    return true;
  }
}

async function requestReadPermission(handle: FileSystemFileHandle): Promise<boolean> {
  const wanted = { mode: 'read' } as const;
  if (!handle.queryPermission || (await handle.queryPermission(wanted)) === 'granted') return true;
  return (await handle.requestPermission?.(wanted).catch(() => 'denied')) === 'granted';
}
