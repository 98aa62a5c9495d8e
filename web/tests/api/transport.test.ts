import { beforeEach, describe, expect, it, vi } from 'vitest';
import { api, dataOf } from '@/api/client';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { whenSessionEnds } from '@/api/transport';
import { useConnection } from '@/lib/connection';
import { FakeServer } from '../fakes/fetch';

const me = () => dataOf(api.GET('/api/v1/auth/me'));
const user = { user: { id: '1', username: 'ann' } };
let server: FakeServer;

beforeEach(() => {
  server = new FakeServer().install();
  useConnection.setState({ online: true, reachable: true });
});

describe('an API call', () => {
  it('returns the data of the response', async () => {
    server.on('GET /api/v1/auth/me', { body: user });
    expect(await me()).toEqual(user);
  });

  it('throws the problem of an error response, with its Retry-After', async () => {
    server.on('POST /api/v1/auth/login', {
      status: 429,
      body: { code: 'too-many-attempts', detail: 'Wait.' },
      headers: { 'Retry-After': '30' },
    });
    const call = dataOf(api.POST('/api/v1/auth/login', { body: { username: 'a', password: 'b' } }));
    await expect(call).rejects.toMatchObject({ status: 429, code: 'too-many-attempts', retryAfter: 30 });
  });

  it('renews an expired session once and retries', async () => {
    let renewed = false;
    server.on('GET /api/v1/auth/me', () =>
      renewed ? { body: user } : { status: 401, body: { code: 'expired' } },
    );
    server.on('POST /api/v1/auth/refresh', () => {
      renewed = true;
      return { body: user };
    });
    expect(await Promise.all([me(), me(), me()])).toEqual([user, user, user]);
    expect(server.requests.filter((route) => route.includes('refresh'))).toHaveLength(1);
  });

  it('calls the handler when the session has ended', async () => {
    const ended = vi.fn();
    whenSessionEnds(ended);
    server.on('GET /api/v1/auth/me', { status: 401, body: { code: 'expired' } });
    server.on('POST /api/v1/auth/refresh', { status: 401, body: { code: 'expired' } });
    await expect(me()).rejects.toBeInstanceOf(ApiProblem);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('does not refresh the session after a wrong password', async () => {
    server.on('POST /api/v1/auth/login', { status: 401, body: { code: 'invalid-credentials' } });
    const call = dataOf(api.POST('/api/v1/auth/login', { body: { username: 'a', password: 'b' } }));
    await expect(call).rejects.toMatchObject({ code: 'invalid-credentials' });
    expect(server.requests).toEqual(['POST /api/v1/auth/login']);
  });

  it('records whether the server is reachable', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(me()).rejects.toBeInstanceOf(UnreachableError);
    expect(useConnection.getState().reachable).toBe(false);
    server.install().on('GET /api/v1/auth/me', { body: user });
    await me();
    expect(useConnection.getState().reachable).toBe(true);
  });
});
