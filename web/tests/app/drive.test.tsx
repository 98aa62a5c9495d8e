import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { chooseLanguage } from '@/i18n';
import { ann, fileItem, folderItem, signedInServer } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const rows = () => screen.findAllByTestId('file-row');
const row = async (name: string) => {
  const found = (await rows()).find((element) => element.dataset.name === name);
  if (!found) throw new Error(`No row ${name}`);
  return found;
};

describe('the drive', () => {
  it('lists folders and files', async () => {
    signedInServer([folderItem('Movies'), fileItem('a.txt')]);
    await openApp('/drive');
    expect((await rows()).map(({ dataset }) => dataset.name)).toEqual(['Movies', 'a.txt']);
  });

  it('shows an empty state for an empty folder', async () => {
    signedInServer();
    await openApp('/drive');
    expect(await screen.findByText('Nothing here yet')).toBeInTheDocument();
  });

  it('shows an error with a retry button', async () => {
    const server = signedInServer([fileItem('a.txt')]).on('GET /api/v1/files', {
      status: 503,
      body: { code: 'unavailable' },
    });
    const { user } = await openApp('/drive');
    const retry = await screen.findByTestId('retry');
    server.on('GET /api/v1/files', {
      body: { items: [fileItem('a.txt')], nextCursor: null, folder: null, breadcrumb: [] },
    });
    await user.click(retry);
    expect(await row('a.txt')).toBeInTheDocument();
  });

  it('loads the next page at the end of the first', async () => {
    const server = signedInServer();
    server.on('GET /api/v1/files', (_, url) => {
      const second = url.searchParams.get('cursor') === 'next';
      const items = [fileItem(second ? 'b.txt' : 'a.txt')];
      return { body: { items, nextCursor: second ? null : 'next', folder: null, breadcrumb: [] } };
    });
    await openApp('/drive');
    await waitFor(async () => expect(await rows()).toHaveLength(2));
  });

  it('opens a folder with Enter and changes the address', async () => {
    signedInServer([folderItem('Movies')]);
    const { user, at } = await openApp('/drive');
    await user.click(await row('Movies'));
    await user.keyboard('{Enter}');
    await waitFor(() => expect(at()).toBe('/drive/id-Movies'));
  });

  it('renames with F2 and reports a taken name', async () => {
    signedInServer([fileItem('a.txt')]).on('PATCH /api/v1/files/id-a.txt', {
      status: 409,
      body: { code: 'name-taken' },
    });
    const { user } = await openApp('/drive');
    await user.click(await row('a.txt'));
    await user.keyboard('{F2}');
    const input = await screen.findByTestId('name-input');
    await user.clear(input);
    await user.type(input, 'b.txt{Enter}');
    expect(await screen.findByText('There is already something with this name here.')).toBeInTheDocument();
  });

  it('moves to the trash with Delete, and restores with Undo', async () => {
    const server = signedInServer([fileItem('a.txt')])
      .on('DELETE /api/v1/files/id-a.txt', { status: 204 })
      .on('POST /api/v1/trash/id-a.txt/restore', { body: fileItem('a.txt') });
    const { user } = await openApp('/drive');
    await user.click(await row('a.txt'));
    await user.keyboard('{Delete}');
    await user.click(await screen.findByTestId('undo'));
    await waitFor(() => expect(server.requests).toContain('POST /api/v1/trash/id-a.txt/restore'));
    expect(await screen.findByText('“a.txt” is restored')).toBeInTheDocument();
  });

  it('selects with the arrow keys, Shift and Ctrl+A', async () => {
    signedInServer(['a', 'b', 'c'].map((name) => fileItem(name)));
    const { user } = await openApp('/drive');
    await user.click(await row('a'));
    await user.keyboard('{Shift>}{ArrowDown}{/Shift}');
    expect(await screen.findByTestId('selection-count')).toHaveTextContent('2 selected');
    await user.keyboard('{Control>}a{/Control}');
    expect(screen.getByTestId('selection-count')).toHaveTextContent('3 selected');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByTestId('selection-count')).toBeNull());
  });

  it('shows an unfinished upload with actions to resume and cancel it', async () => {
    signedInServer([fileItem('big.mp4', { status: 'UPLOADING' })]);
    const { user } = await openApp('/drive');
    expect(within(await row('big.mp4')).getByTestId('status-badge')).toHaveTextContent('Partly uploaded');
    await user.click(within(await row('big.mp4')).getByTestId('item-more'));
    expect(await screen.findByTestId('action-resume')).toBeInTheDocument();
    expect(screen.getByTestId('action-cancel')).toBeInTheDocument();
    expect(screen.queryByTestId('action-download')).toBeNull();
  });

  it('downloads a folder as one ZIP file and shows its size', async () => {
    const made = { url: '/api/v1/archives/t', name: 'Movies.zip', size: 3_670_016, expiresAt: '' };
    const server = signedInServer([folderItem('Movies'), fileItem('a.txt')]);
    server.on('POST /api/v1/archives', { status: 201, body: made });
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(`${this.getAttribute('href')} ${this.download}`);
    });
    const { user } = await openApp('/drive');
    await user.click(within(await row('Movies')).getByTestId('item-more'));
    await user.click(await screen.findByTestId('action-download-archive'));
    expect(await screen.findByText(/Downloading “Movies.zip” \(3.5 MB\)/)).toBeInTheDocument();
    expect(clicked).toEqual(['/api/v1/archives/t Movies.zip']);
    vi.restoreAllMocks();
  });

  it('downloads a selection as one ZIP file, and says why it cannot', async () => {
    const server = signedInServer([fileItem('a.txt'), fileItem('b.txt')]);
    server.on('POST /api/v1/archives', { status: 422, body: { code: 'archive-too-large' } });
    const { user } = await openApp('/drive');
    await user.click(await row('a.txt'));
    expect(screen.queryByTestId('bar-download-archive')).toBeNull();
    await user.keyboard('{Control>}a{/Control}');
    await user.click(await screen.findByTestId('bar-download-archive'));
    expect(await screen.findByText(/more than one ZIP file can hold/)).toBeInTheDocument();
  });

  it('switches between rows and tiles', async () => {
    signedInServer([fileItem('a.txt')]);
    const { user } = await openApp('/drive');
    await user.click(await screen.findByTestId('view-grid'));
    expect(await row('a.txt')).toBeInTheDocument();
    expect(localStorage.getItem('metastore.files')).toContain('grid');
    await user.click(screen.getByTestId('view-list'));
  });

  it('switches to Vietnamese', async () => {
    signedInServer();
    await openApp('/drive');
    await chooseLanguage('vi');
    expect(await screen.findByText('Chưa có gì ở đây')).toBeInTheDocument();
    expect(document.documentElement.lang).toBe('vi');
  });
});

describe('the storage meter', () => {
  it('warns from ninety percent on, reserved bytes included', async () => {
    signedInServer().on('GET /api/v1/auth/me', {
      body: { user: { ...ann, storageUsed: 800, storageReserved: 150 } },
    });
    await openApp('/drive');
    expect(within(await screen.findByTestId('storage-meter')).getByText('Almost full')).toBeInTheDocument();
  });
});
