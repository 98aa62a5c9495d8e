import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { reportReachable, reportUnreachable, useConnection } from '@/lib/connection';
import { FakeMemory, fileOf, uploadFixture } from '../../fakes/upload-fixture';
import { FakeUploadServer } from '../../fakes/upload-server';

const SMALL = 10;
const batchFixture = () => uploadFixture(new FakeUploadServer(), new FakeMemory(), SMALL);
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });
const smallFiles = (count: number, path = '') =>
  Array.from({ length: count }, (_, index) => ({ file: fileOf(`${index}.txt`, 5), path }));

type Fixture = ReturnType<typeof batchFixture>;
const statuses = ({ store }: Fixture) => new Set(store.all().map(({ status }) => status));
const allDone = (fixture: Fixture) => until(() => expect(statuses(fixture)).toEqual(new Set(['done'])));

/** Holds all batches at the server until the returned function is called. */
function hold(server: FakeUploadServer): () => void {
  let open = () => {};
  server.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}

beforeEach(() => useConnection.setState({ online: true, reachable: true }));

describe('small files', () => {
  it('are uploaded together, with their folders, and larger ones in parts', async () => {
    const fixture = batchFixture();
    const { manager, server, row } = fixture;
    await manager.add(
      [
        { file: fileOf('a.txt', 5), path: 'trip' },
        { file: fileOf('large.bin', SMALL), path: 'trip' },
        { file: fileOf('b.txt', 0), path: 'trip/day 1' },
      ],
      '/photos',
    );
    await allDone(fixture);
    expect(server.batches.map(({ paths }) => paths)).toEqual([
      ['/photos/trip/a.txt', '/photos/trip/day 1/b.txt'],
    ]);
    expect(server.sentParts).toHaveLength(3);
    expect(row('b.txt')).toMatchObject({ path: '/photos/trip/day 1', storedName: 'b.txt', sent: 0 });
  });

  it('are at most 200 in a request, each sent once', async () => {
    const fixture = batchFixture();
    await fixture.manager.add(smallFiles(450), '/');
    await allDone(fixture);
    expect(fixture.server.batches.map(({ paths }) => paths.length)).toEqual([200, 200, 50]);
    expect(new Set(fixture.server.batches.flatMap(({ paths }) => paths)).size).toBe(450);
  });

  it('change the screen a few times for each request, not for each file', async () => {
    const fixture = batchFixture();
    let changes = 0;
    fixture.store.subscribe(() => {
      changes += 1;
    });
    await fixture.manager.add(smallFiles(1000), '/');
    await allDone(fixture);
    expect(changes).toBeLessThan(50);
    expect(fixture.changes).toHaveLength(5);
  });

  it('with names that a request for many cannot express are uploaded alone', async () => {
    const fixture = batchFixture();
    const names = ['say "hi".txt', '100%22.txt', 'a\\b.txt', 'plain.txt'];
    await fixture.manager.add(
      names.map((name) => ({ file: fileOf(name, 5), path: '' })),
      '/',
    );
    await allDone(fixture);
    expect(fixture.server.batches.map(({ paths }) => paths)).toEqual([['/plain.txt']]);
    expect(fixture.server.stored).toHaveLength(4);
  });

  it('do not wait for a large file that was chosen first', async () => {
    const fixture = batchFixture();
    await fixture.manager.add([{ file: fileOf('large.bin', 4000), path: '' }, ...smallFiles(3)], '/');
    await until(() => expect(fixture.row('2.txt').status).toBe('done'));
    expect(fixture.row('large.bin').status).toBe('uploading');
    await allDone(fixture);
  });
});

describe('a lost response', () => {
  it('stores nothing twice', async () => {
    const fixture = batchFixture();
    fixture.server.batchErrors.push({ error: new UnreachableError(), lost: true });
    await fixture.manager.add(smallFiles(3), '/');
    await allDone(fixture);
    expect(fixture.server.stored).toHaveLength(3);
    expect(new Set(fixture.server.batches.map(({ key }) => key)).size).toBe(1);
  });

  it('is waited for while the server still works on the request', async () => {
    const fixture = batchFixture();
    fixture.server.batchErrors.push({ error: new ApiProblem(409, 'idempotency-in-progress', '') });
    await fixture.manager.add(smallFiles(3), '/');
    await allDone(fixture);
    expect(new Set(fixture.server.batches.map(({ key }) => key)).size).toBe(1);
  });

  it('lets the files wait until the server is reachable again', async () => {
    const fixture = batchFixture();
    fixture.server.down = true;
    reportUnreachable();
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['waiting'])));
    fixture.server.down = false;
    reportReachable();
    await allDone(fixture);
    expect(fixture.server.stored).toHaveLength(3);
  });
});

describe('a refused file', () => {
  it('is shown with its reason, and the others are stored', async () => {
    const fixture = batchFixture();
    fixture.server.refused.set('1.txt', new ApiProblem(413, 'quota-exceeded', ''));
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['done', 'error'])));
    expect(fixture.row('1.txt').fault?.kind).toBe('quota');
    expect(fixture.server.stored.map(({ name }) => name)).toEqual(['0.txt', '2.txt']);
  });

  it('can be retried', async () => {
    const fixture = batchFixture();
    fixture.server.refused.set('1.txt', new ApiProblem(413, 'quota-exceeded', ''));
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(fixture.row('1.txt').status).toBe('error'));
    fixture.server.refused.clear();
    await fixture.manager.resume(fixture.row('1.txt').id);
    await allDone(fixture);
  });

  it('is uploaded alone if the failure is temporary', async () => {
    const fixture = batchFixture();
    fixture.server.refused.set('1.txt', new ApiProblem(503, 'unavailable', ''));
    await fixture.manager.add(smallFiles(3), '/');
    await allDone(fixture);
    expect(fixture.server.batches).toHaveLength(1);
    expect(fixture.server.stored).toHaveLength(3);
  });

  it('that cannot be read any more must be chosen again', async () => {
    const fixture = batchFixture();
    const gone = fileOf('gone.txt', 5);
    gone.arrayBuffer = () => Promise.reject(new DOMException('', 'NotReadableError'));
    await fixture.manager.add([{ file: gone, path: 'a/b' }, ...smallFiles(2, 'a')], '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['done', 'error'])));
    expect(fixture.row('gone.txt').fault?.kind).toBe('file-changed');
    expect(fixture.server.batches[0]?.paths).toEqual(['/a/0.txt', '/a/1.txt']);
    expect(await fixture.manager.resume(fixture.row('gone.txt').id)).toBe(false);
  });
});

describe('a refused request', () => {
  it('lets each of its files be uploaded alone', async () => {
    const fixture = batchFixture();
    fixture.server.batchErrors.push({ error: new ApiProblem(413, 'body-too-large', '') });
    await fixture.manager.add(smallFiles(4), '/');
    await allDone(fixture);
    expect(fixture.server.batches).toHaveLength(1);
    expect(fixture.server.stored).toHaveLength(4);
  });

  it('after the session has ended asks the user to sign in', async () => {
    const fixture = batchFixture();
    fixture.server.batchErrors.push({ error: new ApiProblem(401, 'token-expired', '') });
    await fixture.manager.add(smallFiles(2), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['error'])));
    expect(fixture.row('0.txt').fault?.kind).toBe('signed-out');
  });
});

describe('files on their way', () => {
  it('pause together and are stored once after they are resumed', async () => {
    const fixture = batchFixture();
    const open = hold(fixture.server);
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['uploading'])));
    fixture.manager.pause(fixture.row('1.txt').id);
    expect(statuses(fixture)).toEqual(new Set(['paused']));
    open();
    await fixture.manager.resume(fixture.row('0.txt').id);
    await allDone(fixture);
    expect(fixture.server.stored).toHaveLength(3);
  });

  it('keep their idempotency key through a pause', async () => {
    const fixture = batchFixture();
    fixture.server.batchErrors.push({ error: new UnreachableError(), lost: true });
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['waiting'])));
    fixture.manager.pauseAll();
    fixture.manager.resumeAll();
    await allDone(fixture);
    expect(fixture.server.stored).toHaveLength(3);
  });

  it('pause with all that wait, thousands of them', async () => {
    const fixture = batchFixture();
    const open = hold(fixture.server);
    await fixture.manager.add(smallFiles(3000), '/');
    fixture.manager.pauseAll();
    expect(statuses(fixture)).toEqual(new Set(['paused']));
    open();
    await until(() => expect(fixture.server.batches).toEqual([]));
    fixture.manager.resumeAll();
    await allDone(fixture);
    expect(fixture.server.stored).toHaveLength(3000);
  });

  it('go to the trash when they are cancelled too late', async () => {
    const fixture = batchFixture();
    const open = hold(fixture.server);
    await fixture.manager.add(smallFiles(3), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['uploading'])));
    await fixture.manager.cancel(fixture.row('1.txt').id);
    expect(fixture.store.all()).toHaveLength(2);
    open();
    await allDone(fixture);
    expect(fixture.server.discarded).toEqual(['f-1']);
  });

  it('are not sent any more when all of them are cancelled in time', async () => {
    const fixture = batchFixture();
    const open = hold(fixture.server);
    await fixture.manager.add(smallFiles(2), '/');
    await until(() => expect(statuses(fixture)).toEqual(new Set(['uploading'])));
    for (const { id } of fixture.store.all()) await fixture.manager.cancel(id);
    open();
    await fixture.manager.add([{ file: fileOf('other.txt', 5), path: '' }], '/');
    await allDone(fixture);
    expect(fixture.server.stored.map(({ name }) => name)).toEqual(['other.txt']);
  });

  it('end when the user signs out', async () => {
    const fixture = batchFixture();
    const open = hold(fixture.server);
    await fixture.manager.add(smallFiles(900), '/');
    fixture.manager.leave();
    open();
    await fixture.manager.add([{ file: fileOf('other.txt', 5), path: '' }], '/');
    await allDone(fixture);
    expect(fixture.server.stored.map(({ name }) => name)).toEqual(['other.txt']);
  });
});
