import { describe, expect, it } from 'vitest';
import { firstLanguage } from '@/i18n';
import { texts as english } from '@/i18n/en';
import { sharedTexts } from '@/i18n/shared';
import { texts as vietnamese } from '@/i18n/vi';
import { viewerTexts } from '@/i18n/viewer';

const en = { ...english, viewer: viewerTexts.en, shared: sharedTexts.en };
const vi = { ...vietnamese, viewer: viewerTexts.vi, shared: sharedTexts.vi };

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[`${path}${key}`, value] as [string, string]]
      : leaves(value, `${path}${key}.`),
  );
}

/** The key without its plural form: Vietnamese has one form, English two. */
const base = (key: string) => key.replace(/_(one|other)$/, '');
const keys = (tree: Tree) => [...new Set(leaves(tree).map(([key]) => base(key)))].sort();

describe('the texts', () => {
  it('exist in both languages', () => {
    expect(keys(vi)).toEqual(keys(en));
  });

  it('are never empty', () => {
    for (const [key, text] of [...leaves(en), ...leaves(vi)]) expect(text.trim(), key).not.toBe('');
  });

  it('have every plural form of their language', () => {
    const forms = (tree: Tree) => new Set(leaves(tree).map(([key]) => key));
    for (const key of forms(en)) if (key.endsWith('_one')) expect(forms(en)).toContain(`${base(key)}_other`);
    for (const key of forms(vi)) expect(key.endsWith('_one'), key).toBe(false);
  });

  it('interpolate the same values in both languages', () => {
    const values = (tree: Tree) => {
      const found = new Map<string, Set<string>>();
      for (const [key, text] of leaves(tree)) {
        const names = found.get(base(key)) ?? new Set();
        for (const [, name] of text.matchAll(/{{(\w+)}}/g)) names.add(name ?? '');
        found.set(base(key), names);
      }
      return found;
    };
    const english = values(en);
    for (const [key, names] of values(vi))
      for (const name of names) expect(english.get(key), key).toContain(name);
  });
});

describe('the first language', () => {
  it('is the stored choice', () => {
    expect(firstLanguage('vi', ['en-US'])).toBe('vi');
  });

  it('is else the first supported language of the browser', () => {
    expect(firstLanguage(null, ['fr-FR', 'vi-VN', 'en'])).toBe('vi');
  });

  it('is else English', () => {
    expect(firstLanguage(null, ['fr-FR'])).toBe('en');
    expect(firstLanguage('xx', [])).toBe('en');
  });
});
