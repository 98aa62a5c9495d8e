import { describe, expect, it, vi } from 'vitest';
import { FakeMemory, fileOf, uploadFixture } from '../../fakes/upload-fixture';
import { FakeUploadServer } from '../../fakes/upload-server';

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

/** A server with some parts of `a.bin` (40 bytes), and the browser's memory of its upload. */
async function interrupted(handle: FileSystemFileHandle | null = null) {
  const server = new FakeUploadServer();
  server.hangAfter = 4;
  const memory = new FakeMemory();
  const before = uploadFixture(server, memory);
  const file = fileOf('a.bin', 40, 77);
  await before.manager.add([{ file, path: '', ...(handle ? { handle } : {}) }], '/docs');
  await until(() => expect(server.sentParts.length).toBeGreaterThanOrEqual(4));
  before.manager.leave();
  await until(() => expect(server.inFlight).toBe(0));
  const stored = server.sentParts.length;
  expect(stored).toBeLessThan(10);
  server.hangAfter = Number.POSITIVE_INFINITY;
  return { server, memory, stored, fixture: uploadFixture(server, memory) };
}

/** A file handle as in Chromium. */
function handleOf(file: File, permission: PermissionState = 'granted'): FileSystemFileHandle {
  return {
    kind: 'file',
    name: file.name,
    getFile: async () => file,
    queryPermission: async () => 'prompt',
    requestPermission: async () => permission,
  } as unknown as FileSystemFileHandle;
}

describe('after a reload', () => {
  it('unfinished uploads are shown as interrupted, with their received bytes', async () => {
    const { fixture, stored } = await interrupted();
    await fixture.manager.loadInterrupted();
    expect(fixture.row('a.bin')).toMatchObject({
      status: 'interrupted',
      path: '/docs',
      sent: stored * 4,
      readable: false,
    });
  });

  it('an upload with a file handle resumes with one click, and only missing parts are sent', async () => {
    const { fixture, server } = await interrupted(handleOf(fileOf('a.bin', 40, 77)));
    await fixture.manager.loadInterrupted();
    expect(fixture.row('a.bin').readable).toBe(true);
    expect(await fixture.manager.resume(fixture.row('a.bin').id)).toBe(true);
    await until(() => expect(fixture.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
    expect(fixture.memory.files.size).toBe(0);
  });

  it('an upload without a handle or permission does not resume by itself', async () => {
    const { fixture } = await interrupted(handleOf(fileOf('a.bin', 40, 77), 'denied'));
    await fixture.manager.loadInterrupted();
    expect(await fixture.manager.resume(fixture.row('a.bin').id)).toBe(false);
  });

  it('choosing the same file again resumes the upload', async () => {
    const { fixture, server } = await interrupted();
    await fixture.manager.loadInterrupted();
    fixture.manager.resumeWith(fixture.row('a.bin').id, { file: fileOf('a.bin', 40, 77), path: '' });
    await until(() => expect(fixture.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
  });

  it.each([
    ['name', fileOf('b.bin', 40, 77)],
    ['size', fileOf('a.bin', 41, 77)],
    ['date', fileOf('a.bin', 40, 78)],
  ])('choosing a file with another %s is a fault', async (_, file) => {
    const { fixture } = await interrupted();
    await fixture.manager.loadInterrupted();
    fixture.manager.resumeWith(fixture.row('a.bin').id, { file, path: '' });
    expect(fixture.row('a.bin')).toMatchObject({ status: 'error', fault: { kind: 'other-file' } });
  });

  it('a file that has changed behind its handle is a fault', async () => {
    const { fixture } = await interrupted(handleOf(fileOf('a.bin', 39, 99)));
    await fixture.manager.loadInterrupted();
    await fixture.manager.resume(fixture.row('a.bin').id);
    expect(fixture.row('a.bin').fault?.kind).toBe('file-changed');
  });

  it('dropping the same file into the same folder resumes the upload', async () => {
    const { fixture, server } = await interrupted();
    await fixture.manager.add([{ file: fileOf('a.bin', 40, 77), path: '' }], '/docs');
    await until(() => expect(fixture.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
    expect(fixture.store.all()).toHaveLength(1);
  });

  it('dropping it into another folder starts another upload', async () => {
    const { fixture } = await interrupted();
    await fixture.manager.add([{ file: fileOf('a.bin', 40, 77), path: '' }], '/elsewhere');
    expect(fixture.store.all().map(({ status }) => status)).toContain('interrupted');
    expect(fixture.store.all()).toHaveLength(2);
  });

  it('uploads of another tab are not shown', async () => {
    const { fixture } = await interrupted();
    fixture.claims.others.add('u1');
    await fixture.manager.loadInterrupted();
    expect(fixture.store.all()).toEqual([]);
  });

  it('uploads that ended elsewhere are removed, also from memory', async () => {
    const { fixture, server } = await interrupted();
    await fixture.manager.loadInterrupted();
    server.uploads.clear();
    await fixture.manager.loadInterrupted();
    expect(fixture.store.all()).toEqual([]);
    await until(() => expect(fixture.memory.files.size).toBe(0));
  });
});
