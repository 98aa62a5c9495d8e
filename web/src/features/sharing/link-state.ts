/** Why a link is over, from what the server says of it. */
import type { ShareLink } from '@/api/types';

/** The state of a link. */
export type LinkState = 'active' | 'revoked' | 'expired' | 'usedUp' | 'inactive';

/** Returns the state of a link. */
export function stateOf(link: ShareLink, now = Date.now()): LinkState {
  if (link.revokedAt) return 'revoked';
  if (link.expiresAt && new Date(link.expiresAt).getTime() <= now) return 'expired';
  if (link.maxAccessCount !== null && link.accessCount >= link.maxAccessCount) return 'usedUp';
  return link.isActive ? 'active' : 'inactive';
}
