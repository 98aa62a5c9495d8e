import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { searchOf } from '@/app/search';
import { ann, annsServer, fileItem } from '../fakes/drive';
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

  it('runs again when the index has changed, once for a burst of changes', async () => {
    const server = annsServer().on('GET /api/v1/search', { body: { items: [], nextCursor: null } });
    await openApp('/search?q=bao');
    await screen.findByText('Nothing found for “bao”');
    const asked = () => server.asked.filter((route) => route.startsWith('GET /api/v1/search')).length;
    const before = asked();
    server.on('GET /api/v1/search', { body: { items: [found], nextCursor: null } });
    await act(async () => {
      for (let change = 0; change < 20; change += 1) FakeSocket.latest?.push('search.indexed', {});
    });
    expect(await screen.findByText('Báo')).toBeInTheDocument();
    expect(asked()).toBe(before + 1);
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
