import { FakeServer } from './fetch';

const at = '2026-01-01T10:00:00Z';

/** A user as the server shows it. */
export const ann = {
  id: 'u1',
  username: 'ann',
  email: 'ann@example.com',
  displayName: 'Ann',
  role: 'USER',
  status: 'ACTIVE',
  plan: 'FREE',
  storageUsed: 400,
  storageReserved: 0,
  storageQuota: 1000,
};

/** A file as a listing shows it. */
export function fileItem(name: string, more: object = {}) {
  return {
    kind: 'file',
    id: `id-${name}`,
    name,
    path: `/${name}`,
    parentId: null,
    size: 2048,
    mimeType: 'text/plain',
    status: 'READY',
    visibility: 'PRIVATE',
    moderation: 'NONE',
    checksum: null,
    createdAt: at,
    updatedAt: at,
    thumbnailUrl: null,
    streamUrl: null,
    processing: null,
    ...more,
  };
}

/** A folder as a listing shows it. */
export function folderItem(name: string) {
  return {
    kind: 'folder',
    id: `id-${name}`,
    name,
    path: `/${name}`,
    parentId: null,
    createdAt: at,
    updatedAt: at,
  };
}

/** A notification as the server sends it. */
export function notice(id: string, name: string, readAt: string | null = null) {
  return { id, userId: 'u1', type: 'file.ready', message: 'ready', payload: { name }, readAt, createdAt: at };
}

/** A server with Ann signed in, and with these items in the root of her drive. */
export function signedInServer(items: object[] = []): FakeServer {
  return new FakeServer()
    .on('GET /api/v1/config', {
      body: { registration: 'open', maxFileSize: 1e12, maxSimpleUploadSize: 1e6, version: '0' },
    })
    .on('GET /api/v1/auth/me', { body: { user: ann } })
    .on('GET /api/v1/files', { body: { items, nextCursor: null, folder: null, breadcrumb: [] } })
    .on('GET /api/v1/files/chunked-upload', { body: { items: [], nextCursor: null } })
    .on('GET /api/v1/notifications', { body: { items: [], nextCursor: null, unreadCount: 0 } })
    .on('GET /api/v1/trash', { body: { items: [], nextCursor: null } })
    .install();
}
