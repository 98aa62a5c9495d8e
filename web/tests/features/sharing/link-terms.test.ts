import { describe, expect, it } from 'vitest';
import { expiresAt, localMoment, momentFault } from '@/features/sharing/expiry';
import { stateOf } from '@/features/sharing/link-state';
import { faultsOf, termsOf, valuesOf } from '@/features/sharing/link-terms';
import { shareLink } from '../../fakes/share-links';

const now = Date.parse('2026-01-01T10:00:00Z');

describe('the terms of a new link', () => {
  it('are to look only, for ever, for anyone', () => {
    expect(valuesOf(termsOf())).toEqual({
      permission: 'VIEW',
      expiresAt: null,
      maxAccessCount: null,
      label: null,
    });
  });

  it('have a password only if one was entered', () => {
    expect(valuesOf({ ...termsOf(), password: ' s3cret ' })).toMatchObject({ password: ' s3cret ' });
  });

  it('expire after the chosen time', () => {
    expect(expiresAt('never', '', now)).toBeNull();
    expect(expiresAt('week', '', now)).toBe('2026-01-08T10:00:00.000Z');
    expect(expiresAt('chosen', localMoment('2026-02-01T00:00:00Z'), now)).toBe('2026-02-01T00:00:00.000Z');
  });
});

describe('the changes of a link', () => {
  const link = shareLink('a.txt', {
    hasPassword: true,
    maxAccessCount: 5,
    label: 'For Minh',
    expiresAt: '2027-01-01T10:00:30Z',
  });

  it('are only what was changed, so that a label alone makes nobody open the link again', () => {
    expect(valuesOf(termsOf(link), link)).toEqual({});
    expect(valuesOf({ ...termsOf(link), label: 'For Anna' }, link)).toEqual({ label: 'For Anna' });
  });

  it('take a password, a limit and an expiry off by null', () => {
    const terms = { ...termsOf(link), passwordOff: true, max: '', expiry: 'never' as const };
    expect(valuesOf(terms, link)).toEqual({ password: null, maxAccessCount: null, expiresAt: null });
  });
});

describe('the faults of the terms', () => {
  it('are a time that has passed or is missing', () => {
    expect(momentFault('', now)).toBe('noMoment');
    expect(momentFault(localMoment('2025-12-31T00:00:00Z'), now)).toBe('past');
    expect(momentFault(localMoment('2026-01-02T00:00:00Z'), now)).toBeNull();
  });

  it('are a limit that is no whole number from 1', () => {
    for (const max of [0, '1.5', 'x']) expect(faultsOf({ ...termsOf(), max })).toEqual({ max: 'noCount' });
    for (const max of ['', 1, '12']) expect(faultsOf({ ...termsOf(), max })).toEqual({});
  });
});

describe('the state of a link', () => {
  it('says why it is over', () => {
    const over = { isActive: false };
    expect(stateOf(shareLink('a'), now)).toBe('active');
    expect(stateOf(shareLink('a', { ...over, revokedAt: '2026-01-01T09:00:00Z' }), now)).toBe('revoked');
    expect(stateOf(shareLink('a', { ...over, expiresAt: '2026-01-01T10:00:00Z' }), now)).toBe('expired');
    expect(stateOf(shareLink('a', { ...over, maxAccessCount: 2, accessCount: 2 }), now)).toBe('usedUp');
    expect(stateOf(shareLink('a', over), now)).toBe('inactive');
  });
});
