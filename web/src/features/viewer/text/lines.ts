/** Source code as lines of highlighted runs, by highlight.js. */
import hljs from 'highlight.js/lib/common';

/** A run of text; `kind` holds highlight.js's classes, empty for plain text; `at` is its offset. */
export interface Run {
  text: string;
  kind: string;
  at: number;
}

/** Longer texts are not highlighted: it would block the page. */
const MOST = 200_000;

/** The supported languages. */
export function isKnown(language: string | null): language is string {
  return language !== null && hljs.getLanguage(language) !== undefined;
}

/** Returns the lines of a source, unhighlighted for an unknown language. */
export function linesOf(source: string, language: string | null): Run[][] {
  const text = source.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  if (!isKnown(language) || text.length > MOST) return cut([{ text, kind: '', at: 0 }]);
  return cut(runsOf(hljs.highlight(text, { language, ignoreIllegals: true }).value));
}

/** Parses highlight.js's HTML into runs; the source was escaped there and comes out as text. */
function runsOf(html: string): Run[] {
  const runs: Run[] = [];
  let at = 0;
  const walk = (node: Node, kind: string) => {
    for (const child of node.childNodes) {
      if (child instanceof Element) walk(child, child.className || kind);
      else {
        const text = child.textContent ?? '';
        runs.push({ text, kind, at });
        at += text.length;
      }
    }
  };
  walk(new DOMParser().parseFromString(`<pre>\n${html}</pre>`, 'text/html').body, '');
  return runs;
}

/** Splits runs at line breaks. */
function cut(runs: Run[]): Run[][] {
  const lines: Run[][] = [[]];
  for (const { text, kind, at } of runs) {
    let from = at;
    for (const [index, piece] of text.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (piece) lines.at(-1)?.push({ text: piece, kind, at: from });
      from += piece.length + 1;
    }
  }
  return lines;
}
