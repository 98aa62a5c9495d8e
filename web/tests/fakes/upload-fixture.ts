import type { UploadClaims } from '@/features/uploads/engine/claims';
import { UploadManager } from '@/features/uploads/engine/manager';
import type { RememberedFile, UploadMemory } from '@/features/uploads/engine/memory';
import { PartSlots } from '@/features/uploads/engine/part-slots';
import { createUploadStore } from '@/features/uploads/engine/store';
import type { UploadItem } from '@/features/uploads/engine/types';
import { FakeUploadServer } from './upload-server';

/** A memory of uploads that is not persistent. */
export class FakeMemory implements UploadMemory {
  readonly files = new Map<string, RememberedFile>();

  async remember(file: RememberedFile) {
    this.files.set(file.uploadId, file);
  }

  async recall() {
    return new Map(this.files);
  }

  async forget(uploadId: string) {
    this.files.delete(uploadId);
  }
}

/** Claims of this tab and others. */
export class FakeClaims implements UploadClaims {
  readonly others = new Set<string>();

  async hold<T>(uploadId: string, work: () => Promise<T>): Promise<T | null> {
    return this.others.has(uploadId) ? null : await work();
  }

  async held() {
    return new Set(this.others);
  }
}

/**
 * An upload manager with fake dependencies. A second one with the same server and memory stands for a reload. Files
 * smaller than `batchBelow` bytes are uploaded in batches; by default, none are.
 */
export function uploadFixture(server = new FakeUploadServer(), memory = new FakeMemory(), batchBelow = 0) {
  const store = createUploadStore();
  const claims = new FakeClaims();
  const changes: unknown[] = [];
  const manager = new UploadManager({
    server,
    sendPart: server.sendPart,
    sendBatch: server.sendBatch,
    batchBelow,
    slots: new PartSlots(),
    store,
    memory,
    claims,
    onChange: (stored) => changes.push(stored),
  });
  const row = (name: string): UploadItem => {
    const found = store.all().find((item) => item.name === name);
    if (!found) throw new Error(`No row ${name}`);
    return found;
  };
  return { server, memory, claims, store, manager, changes, row };
}

/** A file with that many bytes. */
export function fileOf(name: string, size: number, lastModified = 1): File {
  return new File(['x'.repeat(size)], name, { lastModified, type: 'text/plain' });
}
