/** The files behind the rows: in memory when just chosen, else behind a handle that the browser kept. */
import type { ChosenFile } from '@/lib/chosen-files';
import type { UploadMemory } from './memory';
import { UploadFault, type UploadItem } from './types';

/** Knows how to read each row's file. */
export class FileSources {
  readonly #chosen = new Map<string, ChosenFile>();

  constructor(private readonly memory: UploadMemory) {}

  /** Takes the file for a row. */
  keep(id: string, chosen: ChosenFile): void {
    this.#chosen.set(id, chosen);
  }

  /** Lets the file go. */
  drop(id: string): void {
    this.#chosen.delete(id);
  }

  /** The row's file, if it was chosen on this page. */
  chosen(id: string): ChosenFile | undefined {
    return this.#chosen.get(id);
  }

  /**
   * Opens the remembered file of an interrupted upload; asks the user for permission where the browser wants
   * that. `false` when the file cannot be had; throws a fault when it is another one by now.
   */
  async reopen(item: UploadItem): Promise<boolean> {
    const remembered = item.uploadId ? (await this.memory.recall()).get(item.uploadId) : undefined;
    const handle = remembered?.handle;
    if (!handle || !(await mayRead(handle))) return false;
    const file = await handle.getFile().catch(() => null);
    if (!file) throw new UploadFault('file-changed');
    if (file.size !== item.size || (item.lastModified !== null && file.lastModified !== item.lastModified)) {
      throw new UploadFault('file-changed');
    }
    this.keep(item.id, { file, path: '', handle });
    return true;
  }
}

async function mayRead(handle: FileSystemFileHandle): Promise<boolean> {
  const wanted = { mode: 'read' } as const;
  if (!handle.queryPermission || (await handle.queryPermission(wanted)) === 'granted') return true;
  return (await handle.requestPermission?.(wanted).catch(() => 'denied')) === 'granted';
}
