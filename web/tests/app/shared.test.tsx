import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';
import { queryClient } from '@/app/query-client';
import { SharedApp, tokenOf } from '@/app/shared-app';
import { chooseLanguage } from '@/i18n';
import { useConnection } from '@/lib/connection';
import { fileItem, folderItem } from '../fakes/drive';
import { FakeServer } from '../fakes/fetch';

const LINK = '/api/v1/share-links/token/t0ken';
const text = {
  kind: 'text',
  mimeType: 'text/plain',
  size: 5,
  width: null,
  height: null,
  durationMs: null,
  pictureUrl: null,
  url: null,
  waveform: null,
  excerpt: { text: 'Hello', truncated: false, language: null },
  streamUrl: null,
};

function described(more: object = {}) {
  return {
    kind: 'file',
    permission: 'VIEW',
    requiresPassword: false,
    expiresAt: null,
    hasAccess: false,
    name: 'a.txt',
    size: 5,
    mimeType: 'text/plain',
    ownerName: 'Ann',
    ...more,
  };
}

const hidden = { requiresPassword: true, name: null, size: null, mimeType: null, ownerName: null };

function opened(item: { kind: string }, permission = 'VIEW') {
  return {
    permission,
    file: item.kind === 'file' ? item : null,
    folder: item.kind === 'folder' ? item : null,
    grant: 'grant',
    grantExpiresAt: '2030-01-01T00:00:00Z',
    downloadUrl: null,
    streamUrl: null,
  };
}

/** A server with a link to a text. */
function serverWithText(permission = 'VIEW', description: object = {}) {
  const file = fileItem('a.txt', { size: 5 });
  return new FakeServer()
    .on(`GET ${LINK}`, { body: described({ permission, ...description }) })
    .on(`POST ${LINK}/access`, { body: opened(file, permission) })
    .on(`GET ${LINK}/items/${file.id}`, { body: file })
    .on(`GET ${LINK}/items/${file.id}/preview`, { body: text })
    .install();
}

function openLink() {
  render(<SharedApp token="t0ken" />);
  return userEvent.setup();
}

describe('the page of a share link', () => {
  beforeEach(async () => {
    queryClient.clear();
    queryClient.setDefaultOptions({ queries: { ...queryClient.getDefaultOptions().queries, retry: false } });
    useConnection.setState({ online: true, reachable: true });
    history.replaceState(null, '', '/share/t0ken');
    await chooseLanguage('en');
  });

  it('opens once, says what is shared by whom, and never asks for a session', async () => {
    const server = serverWithText();
    openLink();
    expect(await screen.findByTestId('shared-name')).toHaveTextContent('a.txt');
    expect(screen.getByTestId('shared-facts')).toHaveTextContent('Shared by Ann · to look at only');
    expect(server.requests.filter((request) => request.endsWith('/access'))).toHaveLength(1);
    expect(server.requests.filter((request) => request.includes('/auth/'))).toEqual([]);
  });

  it('shows the file in the viewer, without downloads where these are not permitted', async () => {
    serverWithText();
    const user = openLink();
    await user.click(await screen.findByTestId('shared-show'));
    expect(await screen.findByText(/Hello/)).toBeInTheDocument();
    expect(screen.queryByTestId('viewer-download')).toBeNull();
    expect(screen.queryByTestId('shared-download')).toBeNull();
  });

  it('offers downloads where these are permitted', async () => {
    serverWithText('DOWNLOAD');
    const user = openLink();
    expect(await screen.findByTestId('shared-download')).toBeInTheDocument();
    await user.click(screen.getByTestId('shared-show'));
    expect(await screen.findByTestId('viewer-download')).toBeInTheDocument();
  });

  it('asks for the password before it opens, sends it in the body, and says when it is wrong', async () => {
    const server = serverWithText('VIEW', hidden);
    const file = fileItem('a.txt');
    const bodies: unknown[] = [];
    server.on(`POST ${LINK}/access`, (body) => {
      bodies.push(body);
      const right = (body as { password?: string }).password === 's3cret';
      if (!right) return { status: 401, body: { code: 'wrong-password' } };
      server.on(`GET ${LINK}`, { body: described({ requiresPassword: true, hasAccess: true }) });
      return { body: opened(file) };
    });
    const user = openLink();
    const input = await screen.findByTestId('shared-password');
    expect(bodies).toEqual([]);
    await user.type(input, 'guess{Enter}');
    expect(await screen.findByText('This is not the password of the link.')).toBeInTheDocument();
    await user.clear(input);
    await user.type(input, 's3cret{Enter}');
    expect(await screen.findByTestId('shared-name')).toHaveTextContent('a.txt');
    expect(bodies).toEqual([{ password: 'guess' }, { password: 's3cret' }]);
    expect(server.requests.some((request) => request.includes('s3cret'))).toBe(false);
  });

  it('says how long to wait after too many guesses', async () => {
    serverWithText('VIEW', hidden).on(`POST ${LINK}/access`, {
      status: 429,
      body: { code: 'too-many-attempts' },
      headers: { 'Retry-After': '120' },
    });
    const user = openLink();
    await user.type(await screen.findByTestId('shared-password'), 'guess{Enter}');
    expect(await screen.findByText(/Too many attempts. Try again in 2 min/)).toBeInTheDocument();
  });

  it.each([
    ['link-expired', 410, 'This link has expired'],
    ['link-revoked', 410, 'This link is no longer shared'],
    ['link-used-up', 410, 'This link has been opened as often as it may be'],
    ['not-found', 404, 'This link leads nowhere'],
  ])('says why a link is over: %s', async (code, status, words) => {
    new FakeServer().on(`GET ${LINK}`, { status, body: { code } }).install();
    openLink();
    expect(await screen.findByText(words)).toBeInTheDocument();
    expect(screen.getByRole('alert')).toHaveTextContent(/Ask whoever sent it to you/);
  });

  it('closes the file when the link ends meanwhile, and says whom to ask', async () => {
    const server = serverWithText();
    const user = openLink();
    await user.click(await screen.findByTestId('shared-show'));
    expect(await screen.findByText(/Hello/)).toBeInTheDocument();
    const over = { status: 410, body: { code: 'link-revoked' } };
    server.on(`GET ${LINK}`, over).on(`GET ${LINK}/items/id-a.txt`, over);
    expect(await screen.findByText('This link is no longer shared')).toBeInTheDocument();
    expect(screen.getByRole('alert')).toHaveTextContent('Ask Ann for another one.');
    expect(screen.queryByTestId('viewer')).toBeNull();
  });

  it('asks for the password again when the grant has ended', async () => {
    const server = serverWithText('VIEW', { requiresPassword: true, hasAccess: true });
    openLink();
    expect(await screen.findByTestId('shared-name')).toBeInTheDocument();
    await waitFor(() => expect(server.requests).toContain(`GET ${LINK}/items/id-a.txt`));
    const ended = { status: 401, body: { code: 'link-access-required' } };
    server
      .on(`GET ${LINK}`, { body: described(hidden) })
      .on(`GET ${LINK}/items/id-a.txt`, ended)
      .on(`POST ${LINK}/access`, { status: 401, body: { code: 'password-required' } });
    expect(await screen.findByTestId('shared-password-form')).toHaveTextContent('has to be opened again');
  });

  it('opens a link without a password again by itself when the grant has ended', async () => {
    const server = serverWithText();
    const file = fileItem('a.txt', { size: 5 });
    let live = true;
    server
      .on(`GET ${LINK}/items/id-a.txt`, () =>
        live ? { body: file } : { status: 401, body: { code: 'link-access-required' } },
      )
      .on(`POST ${LINK}/access`, () => {
        live = true;
        return { body: opened(file) };
      });
    openLink();
    expect(await screen.findByTestId('shared-name')).toBeInTheDocument();
    await waitFor(() => expect(server.requests).toContain(`GET ${LINK}/items/id-a.txt`));
    live = false;
    await waitFor(() => expect(live).toBe(true));
    expect(server.requests.filter((request) => request.endsWith('/access'))).toHaveLength(2);
    expect(screen.getByTestId('shared-name')).toBeInTheDocument();
  });

  it('does not open a link again and again in a browser that keeps no cookies', async () => {
    const server = serverWithText();
    server.on(`GET ${LINK}/items/id-a.txt`, { status: 401, body: { code: 'link-access-required' } });
    openLink();
    expect(await screen.findByText('The link could not be opened')).toBeInTheDocument();
    expect(server.requests.filter((request) => request.endsWith('/access'))).toHaveLength(1);
  });

  it('shows an error and a way to try again when the server does not answer', async () => {
    const server = new FakeServer()
      .on(`GET ${LINK}`, { status: 503, body: { code: 'unavailable' } })
      .install();
    const user = openLink();
    const again = await screen.findByTestId('retry');
    const file = fileItem('a.txt');
    server.on(`GET ${LINK}`, { body: described() }).on(`POST ${LINK}/access`, { body: opened(file) });
    await user.click(again);
    expect(await screen.findByTestId('shared-name')).toHaveTextContent('a.txt');
  });

  it('opens folders below the shared one, and goes back', async () => {
    const root = folderItem('Trip');
    const server = new FakeServer()
      .on(`GET ${LINK}`, { body: described({ kind: 'folder', name: 'Trip', size: null, mimeType: null }) })
      .on(`POST ${LINK}/access`, { body: opened(root) })
      .on(`GET ${LINK}/items/id-Trip`, { body: root })
      .on(`GET ${LINK}/items`, (_, url) =>
        url.searchParams.get('parentId')
          ? {
              body: {
                items: [fileItem('b.txt')],
                nextCursor: null,
                folder: folderItem('Photos'),
                breadcrumb: [{ id: 'id-Photos', name: 'Photos' }],
              },
            }
          : { body: { items: [folderItem('Photos')], nextCursor: null, folder: root, breadcrumb: [] } },
      )
      .install();
    const user = openLink();
    await user.click(await screen.findByTitle('Photos'));
    expect(await screen.findByTitle('b.txt')).toBeInTheDocument();
    expect(location.search).toBe('?folder=id-Photos');
    expect(server.requests).toContain(`GET ${LINK}/items?limit=100&parentId=id-Photos`);
    await user.click(screen.getByRole('button', { name: 'Trip' }));
    expect(await screen.findByTitle('Photos')).toBeInTheDocument();
    expect(screen.queryByTestId('shared-item-download')).toBeNull();
  });
});

describe('the token in an address', () => {
  it('is what follows /share/', () => {
    expect(tokenOf('/share/t0ken')).toBe('t0ken');
    expect(tokenOf('/share/t%20k/x')).toBe('t k');
    expect(tokenOf('/share/')).toBe('');
    expect(tokenOf('/share/%')).toBe('%');
  });
});
