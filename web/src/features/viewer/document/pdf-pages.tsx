import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Size } from '../model/zoom';
import { useViewerKeys } from '../viewer-keys';
import type { Document } from './open-document';
import { PdfPage } from './pdf-page';
import { PdfTools } from './pdf-tools';
import classes from './pdf-view.module.css';

/** A4 in points: the assumed size of a page until it is known. */
const SHEET: Size = { width: 595, height: 842 };
const GAP = 16;
const WIDEST = 920;
const STEP = 1.25;
const [LEAST, MOST] = [0.4, 5];

interface Props {
  document: Document;
  name: string;
  /** The available width in pixels. */
  width: number;
}

/** All pages below one another; only those in view are drawn. */
export function PdfPages({ document, name, width }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const [sizes, setSizes] = useState<ReadonlyMap<number, Size>>(new Map());
  const sizeOf = (number: number) => sizes.get(number) ?? sizes.get(1) ?? SHEET;
  const scale = (Math.min(WIDEST, width - 2 * GAP) / sizeOf(1).width) * zoom;
  const virtual = useVirtualizer({
    count: document.numPages,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => sizeOf(index + 1).height * scale + GAP,
    paddingStart: GAP,
    overscan: 1,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: all positions follow from these two
  useEffect(() => virtual.measure(), [scale, sizes]);
  const onSize = useCallback((number: number, size: Size) => {
    setSizes((known) => {
      const before = known.get(number);
      if (before?.width === size.width && before.height === size.height) return known;
      return new Map(known).set(number, size);
    });
  }, []);
  useEffect(() => {
    const { activeElement, body } = globalThis.document;
    if (activeElement === body || activeElement?.matches('[role=dialog]')) scroller.current?.focus();
  }, []);

  const rows = virtual.getVirtualItems();
  const middle = (virtual.scrollOffset ?? 0) + (virtual.scrollRect?.height ?? 0) / 2;
  const current = (rows.find(({ end }) => end > middle) ?? rows.at(-1))?.index ?? 0;
  const widest = Math.max(...rows.map(({ index }) => sizeOf(index + 1).width * scale), 0);
  const zoomTo = (next: number) => {
    const clamped = Math.min(MOST, Math.max(LEAST, next));
    setZoom(clamped);
    // Keeps the current page in view.
    requestAnimationFrame(() => virtual.scrollToIndex(current, { align: 'start' }));
  };
  useViewerKeys(({ key }) => {
    if (key === '+' || key === '=') zoomTo(zoom * STEP);
    else if (key === '-') zoomTo(zoom / STEP);
    else if (key === '0') zoomTo(1);
    // The arrow keys scroll pages that are wider than the window.
    else return key.startsWith('Arrow') && widest > width;
    return true;
  });
  return (
    <div className={classes.frame}>
      <PdfTools
        page={current + 1}
        pages={document.numPages}
        zoom={zoom}
        least={LEAST}
        most={MOST}
        onPage={(number) => virtual.scrollToIndex(number - 1, { align: 'start' })}
        onIn={() => zoomTo(zoom * STEP)}
        onOut={() => zoomTo(zoom / STEP)}
        onFit={() => zoomTo(1)}
      />
      <section
        ref={scroller}
        tabIndex={0}
        aria-label={t('viewer.pdf.document', { name })}
        className={classes.pages}
        data-testid="pdf-pages"
        data-pages={document.numPages}
      >
        <div className={classes.all} style={{ height: virtual.getTotalSize(), width: widest + 2 * GAP }}>
          {rows.map(({ index, start }) => (
            <div key={index} className={classes.place} style={{ transform: `translateY(${start}px)` }}>
              <PdfPage
                document={document}
                number={index + 1}
                scale={scale}
                size={sizeOf(index + 1)}
                onSize={onSize}
              />
            </div>
          ))}
        </div>
      </section>
    </div>
  );
}
