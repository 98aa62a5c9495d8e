import type { ShareLink } from '@/api/types';

/** A share link as its owner sees it. */
export function shareLink(name: string, more: Partial<ShareLink> = {}): ShareLink {
  return {
    id: `link-${name}`,
    token: 'AbCdEfGhIjKlMnOpQrStUvWx',
    url: 'http://localhost/share/AbCdEfGhIjKlMnOpQrStUvWx',
    resourceId: `id-${name}`,
    name,
    kind: 'file',
    permission: 'VIEW',
    expiresAt: null,
    hasPassword: false,
    maxAccessCount: null,
    accessCount: 0,
    lastAccessedAt: null,
    isActive: true,
    revokedAt: null,
    label: null,
    createdAt: '2026-01-01T09:00:00Z',
    ...more,
  };
}
