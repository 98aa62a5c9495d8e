import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { searchOf } from '@/app/search';
import { ann, annsServer, fileItem, notice } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const found = { ...fileItem('Báo cáo.pdf'), highlight: '<mark>Báo</mark> cáo.pdf' };

describe('the search', () => {
  it('begins at a slash, waits for a pause in typing and marks what it found', async () => {
    const server = annsServer().on('GET /api/v1/search', { body: { items: [found], nextCursor: null } });
    const { user, at } = await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await user.keyboard('/');
    expect(screen.getByTestId('search')).toHaveFocus();
    await user.keyboard('bao');
    await waitFor(() => expect(at()).toBe('/search'));
    const name = await screen.findByText('Báo');
    expect(name.tagName).toBe('MARK');
    const asked = server.asked.filter((route) => route.startsWith('GET /api/v1/search'));
    expect(asked.filter((route) => route.includes('q=bao'))).toHaveLength(1);
  });

  it('finds by itself what is indexed only after it was told of', async () => {
    const server = annsServer().on('GET /api/v1/search', { body: { items: [], nextCursor: null } });
    await openApp('/search?q=bao');
    await screen.findByText('Nothing found for “bao”');
    const asked = () => server.asked.filter((route) => route.startsWith('GET /api/v1/search')).length;
    const before = asked();
    await act(async () => FakeSocket.latest?.push('notification', notice('n1', 'Báo cáo.pdf')));
    await waitFor(() => expect(asked()).toBeGreaterThan(before));
    server.on('GET /api/v1/search', { body: { items: [found], nextCursor: null } });
    expect(await screen.findByText('Báo', {}, { timeout: 20_000 })).toBeInTheDocument();
  });

  it('reads an address and passes over what is no search', () => {
    expect(searchOf({ q: 'x', type: 'image' })).toEqual({ q: 'x', type: 'image' });
    expect(searchOf({ q: 2026, type: 'gossip' })).toEqual({ q: '2026' });
    expect(searchOf({ q: ['x'] })).toEqual({});
  });
});

describe('the admins’ screens', () => {
  it('are offered and open to admins', async () => {
    annsServer()
      .on('GET /api/v1/auth/me', { body: { user: { ...ann, role: 'ADMIN' } } })
      .on('GET /api/v1/admin/events/dead', { body: { items: [], nextCursor: null } });
    const { user } = await openApp('/drive');
    await user.click(await screen.findByTestId('user-menu'));
    await user.click(await screen.findByTestId('admin-events'));
    expect(await screen.findByText('No failed events')).toBeInTheDocument();
  });

  it('are nothing to others', async () => {
    annsServer();
    await openApp('/admin/events');
    expect(await screen.findByText('There is nothing here')).toBeInTheDocument();
  });
});
