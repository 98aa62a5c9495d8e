import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { reportReachable, reportUnreachable, useConnection } from '@/lib/connection';
import { fileOf, uploadFixture } from '../../fakes/upload-fixture';

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

beforeEach(() => useConnection.setState({ online: true, reachable: true }));

describe('uploading', () => {
  it('sends every part and stores the file', async () => {
    const { manager, server, row, changes } = uploadFixture();
    await manager.add([{ file: fileOf('a.txt', 18), path: 'sub' }], '/docs');
    await until(() => expect(row('a.txt').status).toBe('done'));
    expect(server.stored).toMatchObject([{ name: 'a.txt', size: 18 }]);
    expect([...server.sentParts].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(row('a.txt').path).toBe('/docs/sub');
    expect(changes.at(-1)).toBe(server.stored[0]);
  });

  it('sends at most three parts at a time, over all files', async () => {
    const { manager, server, store } = uploadFixture();
    const files = ['a', 'b', 'c', 'd'].map((name) => ({ file: fileOf(name, 40), path: '' }));
    await manager.add(files, '/');
    await until(() => expect(store.all().every(({ status }) => status === 'done')).toBe(true));
    expect(server.maxInFlight).toBe(3);
  });

  it('stores an empty file', async () => {
    const { manager, row } = uploadFixture();
    await manager.add([{ file: fileOf('empty', 0), path: '' }], '/');
    await until(() => expect(row('empty').status).toBe('done'));
  });

  it('adds the same file once', async () => {
    const { manager, server, store } = uploadFixture();
    server.down = true;
    const twice = [
      { file: fileOf('a', 8), path: '' },
      { file: fileOf('a', 8), path: '' },
    ];
    await manager.add(twice, '/');
    expect(store.all()).toHaveLength(1);
    manager.leave();
  });
});

describe('a temporary failure', () => {
  it('is retried until the upload continues', async () => {
    const { manager, server, row } = uploadFixture();
    let open = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    await manager.add([{ file: fileOf('a', 40), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('uploading'));
    server.down = true;
    reportUnreachable();
    open();
    await until(() => expect(row('a').status).toBe('waiting'));
    server.down = false;
    reportReachable();
    await until(() => expect(row('a').status).toBe('done'));
    expect(server.stored).toHaveLength(1);
  });

  it('of the initiation does not initiate a second upload', async () => {
    const { manager, server, row } = uploadFixture();
    server.down = true;
    await manager.add([{ file: fileOf('a', 8), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('waiting'));
    server.down = false;
    reportUnreachable();
    reportReachable();
    await until(() => expect(row('a').status).toBe('done'));
    expect(server.uploads.size).toBe(0);
  });

  it('of a part is retried after a 503 as well', async () => {
    const { manager, server, row } = uploadFixture();
    server.partErrors.push(new ApiProblem(503, 'unavailable', ''), new UnreachableError());
    await manager.add([{ file: fileOf('a', 8), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('done'));
  });
});

describe('an error response', () => {
  it.each([
    [new ApiProblem(413, 'quota-exceeded', ''), 'quota'],
    [new ApiProblem(413, 'file-too-large', ''), 'too-large'],
    [new ApiProblem(507, 'storage-full', ''), 'storage-full'],
    [new ApiProblem(422, 'validation-failed', '', [{ field: 'name', message: 'no' }]), 'name'],
    [new ApiProblem(401, 'expired', ''), 'signed-out'],
    [new ApiProblem(418, 'teapot', 'English.'), 'refused'],
  ] as const)('%s is shown as %s', async (error, kind) => {
    const { manager, server, row } = uploadFixture();
    server.initiateError = error;
    await manager.add([{ file: fileOf('a', 8), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('error'));
    expect(row('a').fault?.kind).toBe(kind);
  });

  it('can be retried', async () => {
    const { manager, server, row } = uploadFixture();
    server.initiateError = new ApiProblem(413, 'quota-exceeded', '');
    await manager.add([{ file: fileOf('a', 8), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('error'));
    server.initiateError = null;
    await manager.resume(row('a').id);
    await until(() => expect(row('a').status).toBe('done'));
  });

  it('does not affect the other files', async () => {
    const { manager, server, row } = uploadFixture();
    server.partErrors.push(new ApiProblem(507, 'storage-full', ''));
    await manager.add(
      ['a', 'b'].map((name) => ({ file: fileOf(name, 4), path: '' })),
      '/',
    );
    await until(() => expect([row('a').status, row('b').status].sort()).toEqual(['done', 'error']));
  });

  it('for an expired URL renews the URLs', async () => {
    const { manager, server, row } = uploadFixture();
    let open = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    await manager.add([{ file: fileOf('a', 40), path: '' }], '/');
    await until(() => expect(server.inFlight).toBe(3));
    server.generation = 1;
    open();
    await until(() => expect(row('a').status).toBe('done'));
  });

  it('for a fresh URL as well is final', async () => {
    const { manager, server, row } = uploadFixture();
    for (let count = 0; count < 20; count += 1)
      server.partErrors.push(new ApiProblem(403, 'forbidden', 'No.'));
    await manager.add([{ file: fileOf('a', 4), path: '' }], '/');
    await until(() => expect(row('a').fault?.kind).toBe('refused'));
  });

  it('for a missing part at completion resends that part', async () => {
    const { manager, server, row } = uploadFixture();
    server.completeErrors.push(new ApiProblem(400, 'missing-part', 'Part 2 is missing.'));
    await manager.add([{ file: fileOf('a', 12), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('done'));
  });

  it('for an unknown upload lets a retry start again', async () => {
    const { manager, server, row } = uploadFixture();
    server.partErrors.push(new ApiProblem(404, 'upload-not-found', ''));
    await manager.add([{ file: fileOf('a', 4), path: '' }], '/');
    await until(() => expect(row('a').fault?.kind).toBe('gone'));
    server.uploads.clear();
    await manager.resume(row('a').id);
    await until(() => expect(row('a').status).toBe('done'));
  });
});

describe('the buttons', () => {
  it('pause and resume without resending a stored part', async () => {
    const { manager, server, row } = uploadFixture();
    server.hangAfter = 5;
    await manager.add([{ file: fileOf('a', 400), path: '' }], '/');
    await until(() => expect(server.sentParts.length).toBeGreaterThanOrEqual(5));
    manager.pause(row('a').id);
    expect(row('a').status).toBe('paused');
    await until(() => expect(server.inFlight).toBe(0));
    server.hangAfter = Number.POSITIVE_INFINITY;
    await manager.resume(row('a').id);
    await until(() => expect(row('a').status).toBe('done'));
    expect(server.sentParts.length).toBe(100);
  });

  it('cancel in the panel and on the server', async () => {
    const { manager, server, store, row } = uploadFixture();
    server.hangAfter = 2;
    await manager.add([{ file: fileOf('a', 40), path: '' }], '/');
    await until(() => expect(server.sentParts.length).toBeGreaterThan(0));
    await manager.cancel(row('a').id);
    expect(store.all()).toEqual([]);
    expect(server.aborted).toEqual(['u1']);
  });

  it('clear finished uploads', async () => {
    const { manager, store, row } = uploadFixture();
    await manager.add([{ file: fileOf('a', 4), path: '' }], '/');
    await until(() => expect(row('a').status).toBe('done'));
    manager.clearDone();
    expect(store.all()).toEqual([]);
  });
});
