import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { searchOf } from '@/app/search';
import { ann, fileItem, signedInServer } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const found = { ...fileItem('Báo cáo.pdf'), highlight: '<mark>Báo</mark> cáo.pdf' };

describe('the search', () => {
  it('is focused with a slash, waits for a pause in typing and highlights matches', async () => {
    const server = signedInServer().on('GET /api/v1/search', { body: { items: [found], nextCursor: null } });
    const { user, at } = await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await user.keyboard('/');
    expect(screen.getByTestId('search')).toHaveFocus();
    await user.keyboard('bao');
    await waitFor(() => expect(at()).toBe('/search'));
    const name = await screen.findByText('Báo');
    expect(name.tagName).toBe('MARK');
    const requests = server.requests.filter((route) => route.startsWith('GET /api/v1/search'));
    expect(requests.filter((route) => route.includes('q=bao'))).toHaveLength(1);
  });

  it('is refetched when the index has changed, once for a burst of changes', async () => {
    const server = signedInServer().on('GET /api/v1/search', { body: { items: [], nextCursor: null } });
    await openApp('/search?q=bao');
    await screen.findByText('Nothing found for “bao”');
    const requests = () => server.requests.filter((route) => route.startsWith('GET /api/v1/search')).length;
    const before = requests();
    server.on('GET /api/v1/search', { body: { items: [found], nextCursor: null } });
    await act(async () => {
      for (let change = 0; change < 20; change += 1) FakeSocket.latest?.push('search.indexed', {});
    });
    expect(await screen.findByText('Báo')).toBeInTheDocument();
    expect(requests()).toBe(before + 1);
  });

  it('is parsed from an address, ignoring invalid values', () => {
    expect(searchOf({ q: 'x', type: 'image' })).toEqual({ q: 'x', type: 'image' });
    expect(searchOf({ q: 2026, type: 'gossip' })).toEqual({ q: '2026' });
    expect(searchOf({ q: ['x'] })).toEqual({});
  });
});

describe('the administration pages', () => {
  it('are linked and open for admins', async () => {
    signedInServer()
      .on('GET /api/v1/auth/me', { body: { user: { ...ann, role: 'ADMIN' } } })
      .on('GET /api/v1/admin/events/dead', { body: { items: [], nextCursor: null } });
    const { user } = await openApp('/drive');
    await user.click(await screen.findByTestId('user-menu'));
    await user.click(await screen.findByTestId('admin-events'));
    expect(await screen.findByText('No failed events')).toBeInTheDocument();
  });

  it('are not found for other users', async () => {
    signedInServer();
    await openApp('/admin/events');
    expect(await screen.findByText('There is nothing here')).toBeInTheDocument();
  });
});
