import { screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ann, fileItem, signedInServer } from '../fakes/drive';
import type { FakeServer } from '../fakes/fetch';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

let server: FakeServer;

beforeEach(() => {
  server = signedInServer([fileItem('hello.txt')])
    .on('GET /api/v1/auth/me', { status: 401, body: { code: 'not-signed-in' } })
    .on('POST /api/v1/auth/refresh', { status: 401, body: { code: 'not-signed-in' } });
});

async function signIn(path = '/sign-in') {
  const { user, at } = await openApp(path);
  await user.type(await screen.findByTestId('login-username'), 'ann');
  await user.type(screen.getByTestId('login-password'), 'secret123');
  await user.click(screen.getByTestId('login-submit'));
  return at;
}

describe('signing in', () => {
  it('is required at any address, and redirects back there', async () => {
    server.on('POST /api/v1/auth/login', () => {
      server.on('GET /api/v1/auth/me', { body: { user: ann } });
      return { body: { user: ann } };
    });
    const at = await signIn('/trash');
    expect(await screen.findByText('The trash is empty')).toBeInTheDocument();
    expect(at()).toBe('/trash');
  });

  it.each([
    [{ status: 401, body: { code: 'invalid-credentials' } }, 'Username or password is wrong.'],
    [
      { status: 403, body: { code: 'account-suspended' } },
      'This account is suspended. Ask the administrator.',
    ],
    [{ status: 429, headers: { 'Retry-After': '90' } }, 'Too many attempts. Try again in 1 min 30 sec.'],
    [
      { status: 503, body: { code: 'unavailable' } },
      'The server is temporarily unavailable. Try again shortly.',
    ],
  ])('shows the error of a response with %o', async (reply, message) => {
    server.on('POST /api/v1/auth/login', reply);
    await signIn();
    expect(await screen.findByTestId('login-error')).toHaveTextContent(message);
  });

  it('requires both fields', async () => {
    const { user } = await openApp('/sign-in');
    await user.click(await screen.findByTestId('login-submit'));
    expect(await screen.findAllByText('Please fill this in.')).toHaveLength(2);
  });

  it('does not link to registration where it is closed', async () => {
    server.on('GET /api/v1/config', { body: { registration: 'closed' } });
    await openApp('/sign-in');
    expect(await screen.findByText('New accounts are created by the administrator.')).toBeInTheDocument();
    expect(screen.queryByTestId('to-register')).toBeNull();
  });

  it('never redirects to another origin', async () => {
    server.on('POST /api/v1/auth/login', () => {
      server.on('GET /api/v1/auth/me', { body: { user: ann } });
      return { body: { user: ann } };
    });
    const at = await signIn('/sign-in?next=//evil.example/x');
    expect(await screen.findByText('hello.txt')).toBeInTheDocument();
    expect(at()).toBe('/drive');
  });
});

describe('signing up', () => {
  it('shows the server’s messages at their fields', async () => {
    server.on('POST /api/v1/auth/register', {
      status: 422,
      body: {
        code: 'validation-failed',
        detail: 'No.',
        errors: [{ field: 'username', message: 'Reserved.' }],
      },
    });
    const { user } = await openApp('/register');
    await user.type(await screen.findByTestId('register-username'), 'root');
    await user.type(screen.getByTestId('register-email'), 'root@example.com');
    await user.type(screen.getByTestId('register-password'), 'longenough');
    await user.click(screen.getByTestId('register-submit'));
    expect(await screen.findByText('Reserved.')).toBeInTheDocument();
  });

  it('is not possible where registration is closed', async () => {
    server.on('GET /api/v1/config', { body: { registration: 'closed' } });
    await openApp('/register');
    expect(await screen.findByText('Registration is closed')).toBeInTheDocument();
    expect(screen.queryByTestId('register-submit')).toBeNull();
  });
});
