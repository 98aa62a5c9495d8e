import { expect, it } from 'vitest';
import { familyOf } from '@/lib/file-family';

it('distinguishes kinds by the name first and the type second', () => {
  expect(familyOf('Film.MP4')).toBe('video');
  expect(familyOf('notes', 'text/plain')).toBe('text');
  expect(familyOf('notes.pdf', 'application/octet-stream')).toBe('pdf');
  expect(familyOf('unknown.xyz', 'application/x-thing')).toBe('other');
});
