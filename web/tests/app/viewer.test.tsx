import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fileItem, folderItem, signedInServer } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const nothing = {
  kind: 'none',
  mimeType: 'text/plain',
  size: 2048,
  width: null,
  height: null,
  durationMs: null,
  pictureUrl: null,
  url: null,
  waveform: null,
  excerpt: null,
  streamUrl: null,
};

type File = { id: string; name: string };

/** A server with these files and their previews by name. */
function serverWith(files: (File & object)[], previews: Record<string, object> = {}) {
  const server = signedInServer([folderItem('Movies'), ...files]);
  for (const file of files) {
    server
      .on(`GET /api/v1/files/${file.id}`, { body: file })
      .on(`GET /api/v1/files/${file.id}/preview`, { body: { ...nothing, ...previews[file.name] } });
  }
  return server;
}

const row = async (name: string) => {
  const rows = await screen.findAllByTestId('file-row');
  const found = rows.find(({ dataset }) => dataset.name === name);
  if (!found) throw new Error(`No row ${name}`);
  return found;
};
const excerpt = (text: string, more = {}) => ({ text, truncated: false, language: null, ...more });

describe('the viewer', () => {
  beforeEach(() => {
    HTMLMediaElement.prototype.load = () => {};
    HTMLMediaElement.prototype.pause = () => {};
    HTMLMediaElement.prototype.play = () => Promise.resolve();
  });

  it('opens on a double click, changes the address, and closes with Escape, returning the focus to the file', async () => {
    serverWith([fileItem('a.txt')], { 'a.txt': { kind: 'text', excerpt: excerpt('Hello') } });
    const { user, search } = await openApp('/drive');
    await user.dblClick(await row('a.txt'));
    expect(await screen.findByText(/Hello/)).toBeInTheDocument();
    expect(screen.getByTestId('viewer-name')).toHaveTextContent('a.txt');
    expect(search()).toEqual({ view: 'id-a.txt' });
    expect(document.title).toContain('a.txt');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByTestId('viewer')).toBeNull());
    expect(search()).toEqual({});
    expect(await row('a.txt')).toHaveFocus();
    expect(document.title).not.toContain('a.txt');
  });

  it('opens by its address, and closes to the page below', async () => {
    serverWith([fileItem('a.txt')]);
    const { user, search } = await openApp('/drive?view=id-a.txt');
    expect(await screen.findByText('There is no preview of this file')).toBeInTheDocument();
    await user.click(screen.getByTestId('viewer-close'));
    await waitFor(() => expect(search()).toEqual({}));
  });

  it('navigates with the arrow keys, and closes on Back however many files were viewed', async () => {
    serverWith([fileItem('a.txt'), fileItem('b.txt'), fileItem('c.txt')]);
    const { user, back } = await openApp('/drive');
    await user.dblClick(await row('a.txt'));
    expect(await screen.findByTestId('viewer-position')).toHaveTextContent('1 of 3');
    await user.keyboard('{ArrowRight}');
    await waitFor(() => expect(screen.getByTestId('viewer-name')).toHaveTextContent('b.txt'));
    await user.click(screen.getByTestId('viewer-next'));
    await waitFor(() => expect(screen.getByTestId('viewer-name')).toHaveTextContent('c.txt'));
    await user.keyboard('{ArrowRight}');
    expect(screen.getByTestId('viewer-next')).toHaveAttribute('aria-disabled', 'true');
    back();
    await waitFor(() => expect(screen.queryByTestId('viewer')).toBeNull());
    expect(await row('c.txt')).toHaveFocus();
  });

  it('does not open for folders or unfinished uploads', async () => {
    serverWith([fileItem('half.mp4', { status: 'UPLOADING' })]);
    const { user, at } = await openApp('/drive');
    await user.dblClick(await row('half.mp4'));
    expect(screen.queryByTestId('viewer')).toBeNull();
    await user.dblClick(await row('Movies'));
    await waitFor(() => expect(at()).toBe('/drive/id-Movies'));
  });

  it('says when a text is truncated', async () => {
    const cut = { kind: 'text', excerpt: excerpt('The beginning', { truncated: true }) };
    serverWith([fileItem('a.txt')], { 'a.txt': cut });
    await openApp('/drive?view=id-a.txt');
    expect(await screen.findByTestId('viewer-cut')).toHaveTextContent('Only the beginning is shown');
  });

  it('renders Markdown without HTML, scripts or external pictures', async () => {
    const source =
      '# Title\n\n<b id="raw">raw</b> [out](https://example.org) [bad](javascript:alert(1))\n\n![cat](https://example.org/cat.png)';
    serverWith([fileItem('a.md')], { 'a.md': { kind: 'markdown', excerpt: excerpt(source) } });
    const { user } = await openApp('/drive?view=id-a.md');
    expect(await screen.findByRole('heading', { name: 'Title' })).toBeInTheDocument();
    const text = screen.getByTestId('viewer-markdown');
    expect(text.querySelector('img, script, #raw')).toBeNull();
    const links = within(text).getAllByRole('link');
    expect(links.map((link) => [link.getAttribute('href'), link.getAttribute('rel')])).toEqual([
      ['https://example.org', 'noopener noreferrer nofollow'],
      ['https://example.org/cat.png', 'noopener noreferrer nofollow'],
    ]);
    await user.click(screen.getByText('Source'));
    expect(await screen.findByText(/# Title/)).toBeInTheDocument();
  });

  it('shows the preview first, then the original, and an error when both fail', async () => {
    serverWith([fileItem('a.jpg')], { 'a.jpg': { kind: 'image', pictureUrl: '/small', url: '/large' } });
    const { user } = await openApp('/drive?view=id-a.jpg');
    const picture = await screen.findByAltText('Picture “a.jpg”');
    expect(picture).toHaveAttribute('src', '/small');
    picture.dispatchEvent(new Event('error'));
    await waitFor(() => expect(document.querySelector('[src="/large"]')).not.toBeNull());
    document.querySelector('[src="/large"]')?.dispatchEvent(new Event('error'));
    expect(await screen.findByRole('alert')).toHaveTextContent('could not be loaded');
    await user.click(screen.getByTestId('viewer-again'));
    expect(await screen.findByAltText('Picture “a.jpg”')).toHaveAttribute('src', '/small');
  });

  it('shows the progress of a film until it can be played', async () => {
    const film = fileItem('film.mp4', {
      status: 'PROCESSING',
      processing: { step: 'package', state: 'RUNNING', progress: 40, error: null, retryable: false },
    });
    const server = serverWith([film], { 'film.mp4': { kind: 'video' } });
    server.on('GET /api/v1/files/id-film.mp4/stream', { status: 409, body: { code: 'not-playable' } });
    await openApp('/drive?view=id-film.mp4');
    expect(await screen.findByTestId('viewer-step')).toHaveTextContent('Preparing for playback');
    expect(screen.getByTestId('viewer-notice-download')).toBeInTheDocument();
  });

  it('says why a film failed, and retries its processing', async () => {
    const film = fileItem('film.mp4', {
      status: 'FAILED',
      processing: {
        step: 'probe',
        state: 'FAILED',
        progress: 0,
        error: 'Some English.',
        reasonCode: 'film-without-picture',
        retryable: true,
      },
    });
    const server = serverWith([film], { 'film.mp4': { kind: 'video' } })
      .on('GET /api/v1/files/id-film.mp4/stream', { status: 409, body: { code: 'not-playable' } })
      .on('POST /api/v1/files/id-film.mp4/retry', { body: film });
    const { user } = await openApp('/drive?view=id-film.mp4');
    expect(await screen.findByText(/The video has no picture/)).toBeInTheDocument();
    await user.click(screen.getByTestId('viewer-retry'));
    await waitFor(() => expect(server.requests).toContain('POST /api/v1/files/id-film.mp4/retry'));
  });

  it('says when the file does not exist', async () => {
    signedInServer();
    await openApp('/drive?view=gone');
    expect(await screen.findByText('There is no such file, or it was deleted.')).toBeInTheDocument();
  });

  it('shows a retry button when the server is unavailable', async () => {
    const server = serverWith([fileItem('a.txt')]);
    server.on('GET /api/v1/files/id-a.txt/preview', { status: 503, body: { code: 'unavailable' } });
    const { user } = await openApp('/drive?view=id-a.txt');
    const again = await screen.findByTestId('viewer-again');
    server.on('GET /api/v1/files/id-a.txt/preview', {
      body: { ...nothing, kind: 'text', excerpt: excerpt('Here it is') },
    });
    await user.click(again);
    expect(await screen.findByText(/Here it is/)).toBeInTheDocument();
  });
});
