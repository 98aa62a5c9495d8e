import { describe, expect, it } from 'vitest';
import { piecesOf } from '@/features/files/model/highlight';

const shown = (html: string) => piecesOf(html).map(({ text, marked }) => (marked ? `[${text}]` : text));

describe('a highlighted name', () => {
  it('is split at its marks', () => {
    expect(shown('<mark>Báo</mark> <mark>cáo</mark>.pdf')).toEqual(['[Báo]', ' ', '[cáo]', '.pdf']);
  });

  it('is text, whatever it contains', () => {
    expect(shown('&lt;img src=x&gt;<mark>&amp;lt;</mark>&#x27;&quot;')).toEqual([
      '<img src=x>',
      '[&lt;]',
      '\'"',
    ]);
  });

  it('may have no marks', () => {
    expect(shown('plain.txt')).toEqual(['plain.txt']);
    expect(shown('')).toEqual([]);
  });
});
