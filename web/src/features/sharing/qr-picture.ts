/** QR codes as pictures. */
import encodeQR from 'qr';

/** The quiet zone around the code that the standard asks for, in modules. */
const BORDER = 4;

/** Returns a QR code of `text` as the URL of an SVG picture. */
export function qrPicture(text: string): string {
  const svg = encodeQR(text, 'svg', { ecc: 'medium', border: BORDER });
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
