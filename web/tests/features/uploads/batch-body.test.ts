import { describe, expect, it } from 'vitest';
import { batchBody, commonFolder, fitsInBatch, pathBelow } from '@/features/uploads/engine/batch-body';

const bytes = (text: string) => new TextEncoder().encode(text).buffer;

describe('the body of a batch', () => {
  it('has the folder, then each file under its path', async () => {
    const files = [
      { name: 'Tết/ảnh.txt', mimeType: 'text/plain', bytes: bytes('one') },
      { name: 'b', mimeType: 'application/octet-stream', bytes: bytes('') },
    ];
    const body = batchBody({ folder: '/photos', files });
    const boundary = body.type.split('boundary=')[1] ?? '';
    const part = (head: string, content: string) => `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`;
    const disposition = 'Content-Disposition: form-data';
    expect(await body.text()).toBe(
      part(`${disposition}; name="path"`, '/photos') +
        part(`${disposition}; name="file"; filename="Tết/ảnh.txt"\r\nContent-Type: text/plain`, 'one') +
        part(`${disposition}; name="file"; filename="b"\r\nContent-Type: application/octet-stream`, '') +
        `--${boundary}--\r\n`,
    );
  });

  it('has one of its own boundary each time', () => {
    const empty = { folder: '/', files: [] };
    expect(batchBody(empty).type).not.toBe(batchBody(empty).type);
  });
});

describe('the folder of a batch', () => {
  it('is the deepest that contains all files', () => {
    expect(commonFolder(['/a/b', '/a/b/c', '/a/bc'])).toBe('/a');
    expect(commonFolder(['/a/b', '/a/b/c'])).toBe('/a/b');
    expect(commonFolder(['/a', '/b'])).toBe('/');
    expect(commonFolder(['/'])).toBe('/');
  });

  it('is left out of the paths of the files', () => {
    expect(pathBelow('/a', '/a/b', 'c.txt')).toBe('b/c.txt');
    expect(pathBelow('/a', '/a', 'c.txt')).toBe('c.txt');
    expect(pathBelow('/', '/', 'c.txt')).toBe('c.txt');
    expect(pathBelow('/', '/a/b', 'c.txt')).toBe('a/b/c.txt');
  });
});

describe('a name', () => {
  it('fits in a batch unless it is invalid or ambiguous there', () => {
    expect(fitsInBatch('/a', 'plain.txt')).toBe(true);
    for (const name of ['', '..', 'a\\b', 'a\nb', 'say "hi"', '100%22'])
      expect(fitsInBatch('/a', name)).toBe(false);
    expect(fitsInBatch('/say "hi"', 'plain.txt')).toBe(false);
  });
});
