import { describe, expect, it } from 'vitest';
import { freeName, joinPath, nameFault, normalName, splitName } from '@/lib/names';

describe('a name', () => {
  it('is normalized to trimmed, composed form', () => {
    expect(normalName('  cafe\u0301 ')).toBe('café');
  });

  it('may be in any language', () => {
    for (const name of ['báo cáo.pdf', '写真 1.jpg', '.hidden', '…', 'a b'])
      expect(nameFault(name)).toBeNull();
  });

  it('cannot be empty, a dot segment, or contain path separators and control characters', () => {
    expect(nameFault('   ')).toBe('empty');
    expect(nameFault('..')).toBe('reserved');
    expect(nameFault('a/b')).toBe('characters');
    expect(nameFault('a\\b')).toBe('characters');
    expect(nameFault('a\u0000b')).toBe('characters');
  });

  it('has at most 255 bytes, not characters', () => {
    expect(nameFault('a'.repeat(255))).toBeNull();
    expect(nameFault('a'.repeat(256))).toBe('long');
    expect(nameFault('ệ'.repeat(100))).toBe('long');
  });
});

describe('an extension', () => {
  it('begins at the last dot that is not the first character', () => {
    expect(splitName('a.tar.gz')).toEqual(['a.tar', '.gz']);
    expect(splitName('.profile')).toEqual(['.profile', '']);
    expect(splitName('README')).toEqual(['README', '']);
  });
});

describe('a free name', () => {
  it('is the name itself if that is not taken', () => {
    expect(freeName('a.txt', ['b.txt'])).toBe('a.txt');
  });

  it('has the first free number before the extension', () => {
    expect(freeName('a.txt', ['a.txt', 'a (1).txt'])).toBe('a (2).txt');
    expect(freeName('New folder', ['new folder'])).toBe('New folder (1)');
  });

  it('is found in any Unicode form of the taken names', () => {
    expect(freeName('cafe\u0301', ['caf\u00e9'])).toBe('café (1)');
  });
});

describe('a path', () => {
  it('is joined with single slashes', () => {
    expect(joinPath('/', '')).toBe('/');
    expect(joinPath('/', 'a/b')).toBe('/a/b');
    expect(joinPath('/x/', '/y')).toBe('/x/y');
  });
});
