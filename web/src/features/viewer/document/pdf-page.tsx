import { TextLayer } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Size } from '../model/zoom';
import type { Document } from './open-document';
import classes from './pdf-page.module.css';

/** Phones reject larger canvases. */
const MOST_PIXELS = 16_000_000;

interface Props {
  document: Document;
  number: number;
  scale: number;
  size: Size;
  /** Called with the size of the page in points. */
  onSize: (number: number, size: Size) => void;
}

/** One page, drawn when it comes into view, with a text layer for selection and screen readers. */
export function PdfPage({ document, number, scale, size, onSize }: Props) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const words = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'drawing' | 'drawn' | 'failed'>('drawing');
  useEffect(() => {
    let end = () => {};
    let over = false;
    const draw = async () => {
      const page = await document.getPage(number);
      const own = page.getViewport({ scale: 1 });
      if (over) return;
      onSize(number, { width: own.width, height: own.height });
      const pixels = own.width * own.height * scale ** 2;
      const ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / pixels));
      const viewport = page.getViewport({ scale: scale * ratio });
      const fresh = globalThis.document.createElement('canvas');
      fresh.width = Math.floor(viewport.width);
      fresh.height = Math.floor(viewport.height);
      const drawing = page.render({ canvas: fresh, viewport });
      const text = words.current
        ? new TextLayer({
            textContentSource: page.streamTextContent(),
            container: words.current,
            viewport: page.getViewport({ scale }),
          })
        : null;
      end = () => {
        drawing.cancel();
        text?.cancel();
      };
      words.current?.replaceChildren();
      await Promise.all([drawing.promise, text?.render().catch(() => undefined)]);
      if (over || !canvas.current) return;
      // Drawn off screen, so that the page does not flicker while zooming.
      canvas.current.width = fresh.width;
      canvas.current.height = fresh.height;
      canvas.current.getContext('2d')?.drawImage(fresh, 0, 0);
      setState('drawn');
    };
    draw().catch((error: unknown) => {
      if (!over && !(error instanceof Error && error.name.includes('Cancelled'))) setState('failed');
    });
    return () => {
      over = true;
      end();
    };
  }, [document, number, scale, onSize]);
  return (
    <section
      className={classes.page}
      style={
        { width: size.width * scale, height: size.height * scale, '--total-scale-factor': scale } as Style
      }
      aria-label={t('viewer.pdf.pageLabel', { number })}
      data-testid="pdf-page"
      data-page={number}
      data-state={state}
    >
      <canvas ref={canvas} className={classes.canvas} aria-hidden="true" />
      <div ref={words} className={classes.words} />
      {state === 'failed' && <p className={classes.failed}>{t('viewer.pdf.pageFailed')}</p>}
    </section>
  );
}

type Style = React.CSSProperties & Record<`--${string}`, number>;
