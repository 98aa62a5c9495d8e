import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { notice, signedInServer } from '../fakes/drive';
import { FakeSocket } from '../fakes/socket';
import { openApp } from './open-app';

vi.mock('socket.io-client', () => ({ io: () => new FakeSocket() }));

const push = (event: string, payload: unknown) => act(async () => FakeSocket.latest?.push(event, payload));

describe('notifications', () => {
  it('are counted at the bell and listed below it', async () => {
    signedInServer().on('GET /api/v1/notifications', {
      body: {
        items: [notice('n1', 'a.mp4'), notice('n2', 'b.mp4', '2026-01-01T11:00:00Z')],
        nextCursor: null,
        unreadCount: 1,
      },
    });
    const { user } = await openApp('/drive');
    expect(await screen.findByTestId('bell-count')).toHaveTextContent('1');
    await user.click(screen.getByTestId('bell'));
    const items = await screen.findAllByTestId('notification-item');
    expect(items.map((item) => 'unread' in item.dataset)).toEqual([true, false]);
    expect(items[0]).toHaveTextContent('“a.mp4” is ready');
  });

  it('arrive live: with a toast, a higher count, and a refetched listing', async () => {
    const server = signedInServer();
    await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await waitFor(() => expect(server.requests.some((route) => route.includes('/notifications'))).toBe(true));
    const before = server.requests.filter((route) => route.startsWith('GET /api/v1/files?')).length;
    await push('notification', notice('n9', 'film.mp4'));
    expect(await screen.findByText('“film.mp4” is ready')).toBeInTheDocument();
    expect(await screen.findByTestId('bell-count')).toHaveTextContent('1');
    await waitFor(() =>
      expect(
        server.requests.filter((route) => route.startsWith('GET /api/v1/files?')).length,
      ).toBeGreaterThan(before),
    );
  });

  it('arrive by the hundred without a toast, or a change of the list, for each', async () => {
    signedInServer();
    await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await act(async () => {
      for (let count = 0; count < 500; count += 1)
        FakeSocket.latest?.push('notification', notice(`n${count}`, `${count}.txt`));
    });
    expect(await screen.findByText('497 more notifications')).toBeInTheDocument();
    expect(screen.getByText('“2.txt” is ready')).toBeInTheDocument();
    expect(screen.queryByText('“3.txt” is ready')).toBeNull();
  });

  it('are marked as read, one or all', async () => {
    const server = signedInServer()
      .on('GET /api/v1/notifications', {
        body: { items: [notice('n1', 'a'), notice('n2', 'b')], nextCursor: null, unreadCount: 2 },
      })
      .on('POST /api/v1/notifications/n1/read', { body: notice('n1', 'a', '2026-01-01T11:00:00Z') })
      .on('POST /api/v1/notifications/read-all', { body: { read: 1 } });
    const { user } = await openApp('/drive');
    await user.click(await screen.findByTestId('bell'));
    const [first] = await screen.findAllByTestId('notification-item');
    if (first) await user.click(first);
    await waitFor(() => expect(server.requests).toContain('POST /api/v1/notifications/n1/read'));
    await user.click(screen.getByTestId('mark-all-read'));
    await waitFor(() => expect(server.requests).toContain('POST /api/v1/notifications/read-all'));
  });

  it('are marked as read in every tab', async () => {
    const page = (unreadCount: number) => ({
      body: { items: [notice('n1', 'a')], nextCursor: null, unreadCount },
    });
    const server = signedInServer().on('GET /api/v1/notifications', page(1));
    await openApp('/drive');
    expect(await screen.findByTestId('bell-count')).toHaveTextContent('1');
    server.on('GET /api/v1/notifications', page(0));
    const otherTab = new BroadcastChannel('metastore.tabs');
    otherTab.postMessage('notices-read');
    await waitFor(() => expect(screen.queryByTestId('bell-count')).toBeNull());
    otherTab.close();
  });

  it('are refetched after a reconnection', async () => {
    const server = signedInServer();
    await openApp('/drive');
    await screen.findByText('Nothing here yet');
    await act(async () => FakeSocket.latest?.emit('connect'));
    const count = () =>
      server.requests.filter((route) => route.startsWith('GET /api/v1/notifications')).length;
    const before = count();
    await act(async () => FakeSocket.latest?.emit('connect'));
    await waitFor(() => expect(count()).toBeGreaterThan(before));
  });
});

describe('interrupted uploads', () => {
  it('are shown after a reload', async () => {
    signedInServer().on('GET /api/v1/files/chunked-upload', {
      body: {
        items: [
          {
            fileId: 'f1',
            uploadId: 'u1',
            name: 'film.mp4',
            path: '/',
            size: 1000,
            partSize: 100,
            receivedBytes: 400,
            createdAt: '2026-01-01T10:00:00Z',
            expiresAt: '2026-01-02T10:00:00Z',
          },
        ],
        nextCursor: null,
      },
    });
    await openApp('/drive');
    const row = await screen.findByTestId('upload-row');
    expect(row.dataset).toMatchObject({ status: 'interrupted', progress: '40', name: 'film.mp4' });
    expect(within(row).getByTestId('upload-resume')).toHaveAccessibleName(/Choose the file again/);
  });
});

describe('an unreachable server', () => {
  it('is reported in a banner', async () => {
    signedInServer();
    await openApp('/drive');
    await screen.findByText('Nothing here yet');
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await push('reconnected', null);
    expect(await screen.findByTestId('connection-banner')).toHaveTextContent('The server cannot be reached');
  });
});
