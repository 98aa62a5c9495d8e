/** The server's rules for names, to validate them before sending. */

const LIMIT_BYTES = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: matches control characters
const FORBIDDEN = /[/\\\u0000-\u001f\u007f]/;

/** Why a name is invalid. */
export type NameFault = 'empty' | 'reserved' | 'characters' | 'long';

/** Returns the name as it is stored: trimmed, in Unicode's composed form. */
export function normalName(name: string): string {
  return name.trim().normalize('NFC');
}

/** Returns why a name is invalid, or `null`. */
export function nameFault(name: string): NameFault | null {
  const normal = normalName(name);
  if (!normal) return 'empty';
  if (normal === '.' || normal === '..') return 'reserved';
  if (FORBIDDEN.test(normal)) return 'characters';
  return new TextEncoder().encode(normal).length > LIMIT_BYTES ? 'long' : null;
}

/** Splits a name from its extension, which keeps the dot; a leading dot makes no extension. */
export function splitName(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
}

/** The first of `name`, `name (1)`, `name (2)` … that is not taken; the number goes before the extension. */
export function freeName(name: string, taken: Iterable<string>): string {
  const used = new Set(Array.from(taken, (other) => normalName(other).toLowerCase()));
  const normal = normalName(name);
  const [stem, extension] = splitName(normal);
  let candidate = normal;
  for (let number = 1; used.has(candidate.toLowerCase()); number += 1) {
    candidate = `${stem} (${number})${extension}`;
  }
  return candidate;
}

/** Joins a folder's path and a relative one; without a trailing slash, except for the root. */
export function joinPath(folder: string, relative: string): string {
  const steps = `${folder}/${relative}`.split('/').filter(Boolean);
  return `/${steps.map(normalName).join('/')}`;
}
