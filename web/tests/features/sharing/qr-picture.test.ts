import decodeQR from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { qrPicture } from '@/features/sharing/qr-picture';

const link = 'https://drive.example.org/share/AbCdEfGhIjKlMnOpQrStUvWx';
const SCALE = 6;

/** Draws an SVG picture of a QR code, in which each module is a square of its own, as pixels. */
function pixelsOf(picture: string) {
  const svg = decodeURIComponent(picture.replace('data:image/svg+xml,', ''));
  const side = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const width = side * SCALE;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  let [left, top] = [0, 0];
  for (const [, to, x, y] of svg.matchAll(/([Mm])(-?\d+)[ ,]?(-?\d+)h1v1/g)) {
    [left, top] = to === 'M' ? [Number(x), Number(y)] : [left + Number(x), top + Number(y)];
    for (let row = top * SCALE; row < (top + 1) * SCALE; row += 1) {
      for (let column = left * SCALE; column < (left + 1) * SCALE; column += 1) {
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
      }
    }
  }
  return { width, height: width, data };
}

describe('the QR code of a link', () => {
  it('is read by a decoder as the address', () => {
    expect(decodeQR(pixelsOf(qrPicture(link)))).toBe(link);
  });

  it('has the quiet zone around it that scanners need', () => {
    const { width, data } = pixelsOf(qrPicture(link));
    const edge = data.subarray(0, 4 * SCALE * width * 4);
    expect(edge.every((value) => value === 255)).toBe(true);
  });
});
