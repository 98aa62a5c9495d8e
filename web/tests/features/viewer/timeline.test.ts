import { describe, expect, it } from 'vitest';
import { clock } from '@/features/viewer/model/clock';
import { tileAt, tilesOf } from '@/features/viewer/model/sprite';
import { barsOf } from '@/features/viewer/model/waveform-bars';

const vtt = `WEBVTT

00:00.000 --> 00:05.000
sprite.webp?a=b#xywh=0,0,160,90

01:00:05.000 --> 01:00:10.500
https://store.example/sprite.webp#xywh=160,90,160,90

00:10.000 --> 00:12.000
the text of a subtitle
`;

describe('the sprite tiles of a timeline', () => {
  const tiles = tilesOf(vtt, 'https://here.example/streams/x/thumbnails.vtt');

  it('are parsed from WebVTT, with URLs relative to it', () => {
    expect(tiles).toEqual([
      {
        from: 0,
        to: 5,
        url: 'https://here.example/streams/x/sprite.webp?a=b',
        x: 0,
        y: 0,
        width: 160,
        height: 90,
      },
      {
        from: 3605,
        to: 3610.5,
        url: 'https://store.example/sprite.webp',
        x: 160,
        y: 90,
        width: 160,
        height: 90,
      },
    ]);
  });

  it('are found by time', () => {
    expect([0, 4, 3604, 3606, 9999].map((time) => tileAt(tiles, time)?.from)).toEqual([0, 0, 0, 3605, 3605]);
    expect(tileAt([], 3)).toBeNull();
  });
});

describe('a waveform', () => {
  it('is reduced to the maximum of each section', () => {
    expect(barsOf([0, 10, 20, 200, 50, 100], 3)).toEqual([0.05, 1, 0.5]);
  });

  it('has no more bars than peaks, and flat bars for silence', () => {
    expect(barsOf([1, 2], 10)).toHaveLength(2);
    expect(barsOf([0, 0], 2)).toEqual([0, 0]);
    expect(barsOf([], 10)).toEqual([]);
  });
});

describe('a playback time', () => {
  it('shows hours only if there are any', () => {
    expect([0, 7.9, 754, 3723, Number.NaN].map(clock)).toEqual(['0:00', '0:07', '12:34', '1:02:03', '0:00']);
  });
});
