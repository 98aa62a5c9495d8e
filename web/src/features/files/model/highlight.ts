/** Highlighted names from search results: escaped HTML with `mark` elements only. */

/** A run of a name; `at` is its offset in the HTML. */
export interface Piece {
  text: string;
  marked: boolean;
  at: number;
}

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&#39;': "'",
  '&amp;': '&',
};

/** Parses a highlighted name into runs of text, without ever creating elements from it. */
export function piecesOf(html: string): Piece[] {
  const pieces: Piece[] = [];
  let marked = false;
  let at = 0;
  for (const part of html.split(/(<\/?mark>)/)) {
    if (part === '<mark>' || part === '</mark>') marked = part === '<mark>';
    else if (part) pieces.push({ text: unescaped(part), marked, at });
    at += part.length;
  }
  return pieces;
}

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|quot|amp|#x27|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
