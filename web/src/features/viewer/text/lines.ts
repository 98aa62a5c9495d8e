/** Source code as lines of coloured runs, by highlight.js. */
import hljs from 'highlight.js/lib/common';

/** A run of text of one colour; `kind` is highlight.js's classes, empty for plain text; `at` is where it begins. */
export interface Run {
  text: string;
  kind: string;
  at: number;
}

/** More than this is not coloured: it would hold the page up. */
const MOST = 200_000;

/** The languages that can be coloured. */
export function isKnown(language: string | null): language is string {
  return language !== null && hljs.getLanguage(language) !== undefined;
}

/** The lines of a source; in one colour where the language is none that is known. */
export function linesOf(source: string, language: string | null): Run[][] {
  const text = source.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  if (!isKnown(language) || text.length > MOST) return cut([{ text, kind: '', at: 0 }]);
  return cut(runsOf(hljs.highlight(text, { language, ignoreIllegals: true }).value));
}

/** Takes highlight.js's HTML apart; what stands in the source was escaped there and comes out as text. */
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

/** Cuts runs at the ends of lines. */
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
