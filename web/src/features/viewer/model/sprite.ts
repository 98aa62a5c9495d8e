/** Sprite tiles: WebVTT cues that name rectangles of one picture (`sprite.webp#xywh=…`). */

/** A tile of the sprite and its time span in seconds. */
export interface Tile {
  from: number;
  to: number;
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const TIMES = /^((?:\d+:)?\d+:\d+\.\d+)\s+-->\s+((?:\d+:)?\d+:\d+\.\d+)/;
const PLACE = /^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

/** Parses the tiles, ignoring invalid cues; URLs are relative to that of the file. */
export function tilesOf(vtt: string, address: string): Tile[] {
  const lines = vtt.split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const times = TIMES.exec(line.trim());
    const place = times && PLACE.exec(lines[index + 1]?.trim() ?? '');
    if (!times || !place) return [];
    const [x = 0, y = 0, width = 0, height = 0] = place.slice(2).map(Number);
    return [
      {
        from: secondsOf(times[1] ?? ''),
        to: secondsOf(times[2] ?? ''),
        url: new URL(place[1] ?? '', address).href,
        x,
        y,
        width,
        height,
      },
    ];
  });
}

/** Returns the tile that covers a time, or the last one before it. */
export function tileAt(tiles: Tile[], time: number): Tile | null {
  let found: Tile | null = tiles[0] ?? null;
  for (const tile of tiles) if (tile.from <= time) found = tile;
  return found;
}

function secondsOf(time: string): number {
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
