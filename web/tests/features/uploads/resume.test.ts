import { describe, expect, it, vi } from 'vitest';
import { FakeMemory, fileOf, uploadDesk } from '../../fakes/upload-desk';
import { FakeUploadServer } from '../../fakes/upload-server';

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

/** A server that has some parts of `a.bin` (40 bytes), and what the browser remembers of it. */
async function interrupted(handle: FileSystemFileHandle | null = null) {
  const server = new FakeUploadServer();
  server.hangAfter = 4;
  const memory = new FakeMemory();
  const before = uploadDesk(server, memory);
  const file = fileOf('a.bin', 40, 77);
  await before.manager.add([{ file, path: '', ...(handle ? { handle } : {}) }], '/docs');
  await until(() => expect(server.sentParts.length).toBeGreaterThanOrEqual(4));
  before.manager.leave();
  await until(() => expect(server.atOnce).toBe(0));
  const stored = server.sentParts.length;
  expect(stored).toBeLessThan(10);
  server.hangAfter = Number.POSITIVE_INFINITY;
  return { server, memory, stored, desk: uploadDesk(server, memory) };
}

/** A handle as Chromium gives it. */
function handleOf(file: File, permission: PermissionState = 'granted'): FileSystemFileHandle {
  return {
    kind: 'file',
    name: file.name,
    getFile: async () => file,
    queryPermission: async () => 'prompt',
    requestPermission: async () => permission,
  } as unknown as FileSystemFileHandle;
}

describe('after the page was closed', () => {
  it('unfinished uploads are shown as interrupted, with what has arrived', async () => {
    const { desk, stored } = await interrupted();
    await desk.manager.loadInterrupted();
    expect(desk.row('a.bin')).toMatchObject({
      status: 'interrupted',
      path: '/docs',
      sent: stored * 4,
      readable: false,
    });
  });

  it('one click resumes where the browser kept a handle, and only missing parts are sent', async () => {
    const { desk, server } = await interrupted(handleOf(fileOf('a.bin', 40, 77)));
    await desk.manager.loadInterrupted();
    expect(desk.row('a.bin').readable).toBe(true);
    expect(await desk.manager.resume(desk.row('a.bin').id)).toBe(true);
    await until(() => expect(desk.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
    expect(desk.memory.files.size).toBe(0);
  });

  it('the user is asked for the file where there is no handle or no permission', async () => {
    const { desk } = await interrupted(handleOf(fileOf('a.bin', 40, 77), 'denied'));
    await desk.manager.loadInterrupted();
    expect(await desk.manager.resume(desk.row('a.bin').id)).toBe(false);
  });

  it('the same file chosen again goes on', async () => {
    const { desk, server } = await interrupted();
    await desk.manager.loadInterrupted();
    desk.manager.resumeWith(desk.row('a.bin').id, { file: fileOf('a.bin', 40, 77), path: '' });
    await until(() => expect(desk.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
  });

  it.each([
    ['name', fileOf('b.bin', 40, 77)],
    ['size', fileOf('a.bin', 41, 77)],
    ['date', fileOf('a.bin', 40, 78)],
  ])('a file of another %s is refused', async (_, file) => {
    const { desk } = await interrupted();
    await desk.manager.loadInterrupted();
    desk.manager.resumeWith(desk.row('a.bin').id, { file, path: '' });
    expect(desk.row('a.bin')).toMatchObject({ status: 'error', fault: { kind: 'other-file' } });
  });

  it('a file that changed behind its handle is refused', async () => {
    const { desk } = await interrupted(handleOf(fileOf('a.bin', 39, 99)));
    await desk.manager.loadInterrupted();
    await desk.manager.resume(desk.row('a.bin').id);
    expect(desk.row('a.bin').fault?.kind).toBe('file-changed');
  });

  it('dropping the same file into the same folder goes on too', async () => {
    const { desk, server } = await interrupted();
    await desk.manager.add([{ file: fileOf('a.bin', 40, 77), path: '' }], '/docs');
    await until(() => expect(desk.row('a.bin').status).toBe('done'));
    expect(server.sentParts.length).toBe(10);
    expect(desk.store.all()).toHaveLength(1);
  });

  it('dropping it into another folder is an upload of its own', async () => {
    const { desk } = await interrupted();
    await desk.manager.add([{ file: fileOf('a.bin', 40, 77), path: '' }], '/elsewhere');
    expect(desk.store.all().map(({ status }) => status)).toContain('interrupted');
    expect(desk.store.all()).toHaveLength(2);
  });

  it('what another tab is sending is not offered', async () => {
    const { desk } = await interrupted();
    desk.claims.others.add('u1');
    await desk.manager.loadInterrupted();
    expect(desk.store.all()).toEqual([]);
  });

  it('what ended elsewhere disappears, here and from memory', async () => {
    const { desk, server } = await interrupted();
    await desk.manager.loadInterrupted();
    server.uploads.clear();
    await desk.manager.loadInterrupted();
    expect(desk.store.all()).toEqual([]);
    await until(() => expect(desk.memory.files.size).toBe(0));
  });
});
