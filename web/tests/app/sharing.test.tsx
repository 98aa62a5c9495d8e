import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { fileItem, signedInServer } from '../fakes/drive';
import { shareLink } from '../fakes/share-links';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const links = (...items: object[]) => ({ body: { items, nextCursor: null } });

/** Opens the dialog of `a.txt` on a server with these links to it. */
async function openDialog(...items: object[]) {
  const server = signedInServer([fileItem('a.txt')]).on('GET /api/v1/share-links', links(...items));
  const app = await openApp('/drive');
  const menu = await screen.findByTestId('item-more');
  await app.user.click(menu);
  await app.user.click(await screen.findByTestId('action-share'));
  return { server, ...app };
}

describe('the dialog that shares a file', () => {
  it('creates a link with its terms', async () => {
    const { server, user } = await openDialog();
    const sent: unknown[] = [];
    server.on('POST /api/v1/share-links', (body) => {
      sent.push(body);
      server.on('GET /api/v1/share-links', links(shareLink('a.txt', { permission: 'DOWNLOAD' })));
      return { status: 201, body: shareLink('a.txt') };
    });
    await user.click(await screen.findByTestId('permission-DOWNLOAD'));
    await user.type(screen.getByTestId('link-max'), '5');
    await user.type(screen.getByTestId('link-password'), 's3cret');
    await user.type(screen.getByTestId('link-label'), 'For Minh');
    await user.click(screen.getByTestId('link-submit'));
    expect(await screen.findByTestId('link-url')).toHaveValue(
      'http://localhost/share/AbCdEfGhIjKlMnOpQrStUvWx',
    );
    expect(sent).toEqual([
      {
        resourceId: 'id-a.txt',
        permission: 'DOWNLOAD',
        expiresAt: null,
        maxAccessCount: 5,
        label: 'For Minh',
        password: 's3cret',
      },
    ]);
  });

  it('says what is wrong with the terms, and what the server refuses', async () => {
    const { server, user } = await openDialog();
    await user.type(await screen.findByTestId('link-max'), '0');
    await user.selectOptions(screen.getByTestId('link-expiry'), 'chosen');
    await user.click(screen.getByTestId('link-submit'));
    expect(await screen.findByText('Enter a whole number from 1.')).toBeInTheDocument();
    expect(screen.getByText('Choose a date and time.')).toBeInTheDocument();
    await user.clear(screen.getByTestId('link-max'));
    await user.selectOptions(screen.getByTestId('link-expiry'), 'never');
    server.on('POST /api/v1/share-links', { status: 404, body: { code: 'not-found' } });
    await user.click(screen.getByTestId('link-submit'));
    expect(await within(screen.getByTestId('link-form')).findByRole('alert')).toHaveTextContent(
      'no longer exists',
    );
  });

  it('copies the address, also where the browser has no clipboard', async () => {
    const { user } = await openDialog(shareLink('a.txt'));
    await user.click(await screen.findByTestId('link-copy'));
    expect(await screen.findByText('Link copied')).toBeInTheDocument();
    expect(await navigator.clipboard.readText()).toBe('http://localhost/share/AbCdEfGhIjKlMnOpQrStUvWx');
  });

  it('revokes a link after a confirmation', async () => {
    const { server, user } = await openDialog(shareLink('a.txt'));
    server.on('DELETE /api/v1/share-links/link-a.txt', () => {
      server.on('GET /api/v1/share-links', links(shareLink('a.txt', { revokedAt: '2026-01-01T10:00:00Z' })));
      return { status: 204 };
    });
    await user.click(await screen.findByTestId('link-menu'));
    await user.click(await screen.findByTestId('link-revoke'));
    expect(await screen.findByRole('alertdialog')).toHaveTextContent('This cannot be undone.');
    expect(server.requests.some((request) => request.startsWith('DELETE'))).toBe(false);
    await user.click(screen.getByTestId('link-confirm'));
    await waitFor(() => expect(screen.getByTestId('share-link')).toHaveAttribute('data-state', 'revoked'));
    expect(screen.queryByTestId('link-url')).toBeNull();
  });

  it('shows who opened a link', async () => {
    const { server, user } = await openDialog(shareLink('a.txt'));
    server.on('GET /api/v1/share-links/link-a.txt/accesses', {
      body: {
        items: [
          {
            at: '2026-01-01T10:00:00Z',
            visitor: 'visitor-abcdef',
            address: '192.0.2.1',
            counted: true,
            action: 'access',
          },
        ],
        nextCursor: null,
      },
    });
    await user.click(await screen.findByTestId('link-menu'));
    await user.click(await screen.findByTestId('link-accesses'));
    expect(await screen.findByTestId('link-access')).toHaveTextContent('192.0.2.1 · Visitor abcdef');
  });
});

describe('the page of all links', () => {
  it('says how to share when there are none', async () => {
    signedInServer().on('GET /api/v1/share-links', links());
    await openApp('/shared-links');
    expect(await screen.findByText('You share nothing by link')).toBeInTheDocument();
  });

  it('shows an error with a way to try again', async () => {
    const server = signedInServer().on('GET /api/v1/share-links', {
      status: 503,
      body: { code: 'unavailable' },
    });
    const { user } = await openApp('/shared-links');
    await user.click(await screen.findByTestId('retry'));
    server.on('GET /api/v1/share-links', links(shareLink('a.txt')));
    await user.click(await screen.findByTestId('retry'));
    expect(await screen.findByTestId('share-link')).toHaveTextContent('a.txt');
  });

  it('loads further pages', async () => {
    signedInServer().on('GET /api/v1/share-links', (_, url) =>
      url.searchParams.get('cursor')
        ? links(shareLink('b.txt'))
        : { body: { items: [shareLink('a.txt')], nextCursor: 'next' } },
    );
    const { user } = await openApp('/shared-links');
    await user.click(await screen.findByTestId('links-more'));
    await waitFor(() => expect(screen.getAllByTestId('share-link')).toHaveLength(2));
  });
});
