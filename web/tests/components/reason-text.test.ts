import { readFileSync } from 'node:fs';
import { renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { useReasonText } from '@/components/reason-text';
import { chooseLanguage } from '@/i18n';

/** Where the server has its sentences from. */
const SOURCES = [
  'processes/ingest.py',
  'features/media/service.py',
  'features/uploads/saga_steps.py',
  'adapters/media_tools/films.py',
  'adapters/media_tools/pictures.py',
];
const SENTENCE = /(?<!")"((?:It|The|There|No|Something) [^"\n]*\.)"(?!")/g;

function sentencesOf(source: string): string[] {
  const text = readFileSync(`../src/metastore/${source}`, 'utf8');
  return [...text.matchAll(SENTENCE)].map(([, sentence = '']) => sentence.replace(/{.*?}/g, '200'));
}

describe('why a file did not become ready', () => {
  beforeAll(() => chooseLanguage('vi'));

  it.each(SOURCES)('is said in Vietnamese whatever %s gives as the reason', (source) => {
    const { result } = renderHook(() => useReasonText());
    const sentences = sentencesOf(source);
    expect(sentences).not.toEqual([]);
    for (const sentence of sentences) expect(result.current(sentence), sentence).not.toBe(sentence);
  });

  it('keeps its numbers', () => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current('The picture has more than 200 megapixels.')).toBe('Ảnh có hơn 200 megapixel.');
  });

  it('is said in the words of the server when it is new to us', () => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current('The moon was full.')).toBe('The moon was full.');
  });
});
