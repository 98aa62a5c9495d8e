import { act, screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { fileItem, notice, signedInServer } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const damage = {
  step: 'storage',
  state: 'FAILED',
  progress: 100,
  error: 'the store has no such object',
  reasonCode: 'bytes-damaged',
};
const damaged = fileItem('a.txt', { status: 'FAILED', processing: { ...damage, retryable: false } });

describe('a damaged file', () => {
  it('shows what was found and what to do', async () => {
    signedInServer([damaged]);
    const { user } = await openApp('/drive');
    const badge = within(await screen.findByTestId('file-row')).getByTestId('status-badge');
    expect(badge).toHaveTextContent('Damaged');
    await user.click(badge);
    expect(await screen.findByTestId('failure-reason')).toHaveTextContent('upload it again');
    expect(screen.getByTestId('damage')).toHaveTextContent('the store has no such object');
    expect(screen.getByTestId('failure')).not.toHaveTextContent('can be downloaded');
    expect(screen.queryByTestId('retry')).toBeNull();
  });

  it('is not downloaded, even if the listing shows it as ready', async () => {
    signedInServer([fileItem('a.txt')]).on('GET /api/v1/files/id-a.txt', { body: damaged });
    const { user } = await openApp('/drive');
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, 'click');
    await user.click(within(await screen.findByTestId('file-row')).getByTestId('item-more'));
    await user.click(await screen.findByTestId('action-download'));
    expect(await screen.findByText(/were lost or changed, so it cannot be downloaded/)).toBeInTheDocument();
    expect(clicked).not.toHaveBeenCalled();
    clicked.mockRestore();
  });

  it.each([
    ['file.damaged', 'The stored bytes of “a.txt” were lost or changed. It cannot be downloaded.'],
    ['file.recovered', '“a.txt” is intact again and can be downloaded'],
  ])('is reported by a toast for %s', async (type, message) => {
    signedInServer();
    await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await act(async () => FakeSocket.latest?.push('notification', { ...notice(`n-${type}`, 'a.txt'), type }));
    expect(await screen.findByText(message)).toBeInTheDocument();
  });
});
