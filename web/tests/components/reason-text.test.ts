import { readdirSync, readFileSync } from 'node:fs';
import { renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { useReasonText } from '@/components/reason-text';
import { chooseLanguage } from '@/i18n';

const SERVER = '../src/metastore';
/** Where the server has its sentences from: files, and folders with all that is in them. */
const SOURCES = [
  'processes/ingest.py',
  'features/media',
  'features/uploads/saga_steps.py',
  'adapters/media_tools',
  'adapters/transcoder',
];
const SENTENCE = /(?<!")"((?:It|The|There|No|Something) [^"\n]*\.)"(?!")/g;
/** What a request is refused with is another matter, and has a code to be known by. */
const REFUSAL = /(?:unavailable\(|Problem\(\d+, "[\w-]+", )"[^"\n]*"/g;

function sentencesOf(source: string): string[] {
  const path = `${SERVER}/${source}`;
  const files = source.endsWith('.py')
    ? [path]
    : readdirSync(path)
        .filter((name) => name.endsWith('.py'))
        .map((name) => `${path}/${name}`);
  const text = files.map((file) => readFileSync(file, 'utf8').replaceAll(REFUSAL, '')).join('\n');
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
