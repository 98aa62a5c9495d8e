import { useElementSize, useMergedRef } from '@mantine/hooks';
import { IconPhotoOff } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Preview } from '@/api/types';
import { prefersReducedMotion } from '@/lib/motion';
import { Notice, Waiting } from '../components/notice';
import type { Place } from '../model/neighbours';
import { moveBy, type Size, sizeWithin, turnRight, whole, within, zoomAt } from '../model/zoom';
import { useViewerKeys } from '../viewer-keys';
import classes from './picture-stage.module.css';
import { PictureTools } from './picture-tools';
import { useGestures } from './use-gestures';
import { useNeighbours } from './use-neighbours';

interface Props {
  file: FileItem;
  preview: Preview;
  place: Place;
  onShow: (file: FileItem | null) => void;
  onAgain: () => void;
  onDownload: (() => void) | undefined;
}

const STEP = 1.5;
const PAN = 80;
const MIDDLE = { x: 0, y: 0 };

/** A picture: the preview first, then the original; can be zoomed, panned and rotated. */
export function PictureStage({ file, preview, place, onShow, onAgain, onDownload }: Props) {
  const { t } = useTranslation();
  const sources = useSources(file, preview);
  const [view, setView] = useState(whole);
  const { ref: measure, ...stage } = useElementSize<HTMLDivElement>();
  const element = useRef<HTMLDivElement>(null);
  const ref = useMergedRef(measure, element);
  useNeighbours(place, sources.size !== null);

  const natural = sources.full ?? sources.size;
  const frame = frameOf(natural, preview, stage, view.turn);
  const zoom = (factor: number, at = MIDDLE) => setView((now) => zoomAt(now, factor, at, frame));
  const gestures = useGestures(element, {
    zoomed: view.scale > 1,
    onZoom: zoom,
    onMove: (dx, dy) => setView((now) => moveBy(now, dx, dy, frame)),
    onToggle: (at) =>
      setView((now) => (now.scale > 1 ? { ...whole, turn: now.turn } : zoomAt(now, 2.5, at, frame))),
    onSwipe: (way) => onShow(way < 0 ? place.previous : place.next),
  });
  const commands = {
    onIn: () => zoom(STEP),
    onOut: () => zoom(1 / STEP),
    onFit: () => setView(({ turn }) => ({ ...whole, turn })),
    onTurn: () => setView(turnRight),
  };
  useViewerKeys(({ key }) => {
    const pans: Record<string, [number, number]> = {
      ArrowLeft: [PAN, 0],
      ArrowRight: [-PAN, 0],
      ArrowUp: [0, PAN],
      ArrowDown: [0, -PAN],
    };
    const actions: Record<string, () => void> = {
      '+': commands.onIn,
      '=': commands.onIn,
      '-': commands.onOut,
      0: commands.onFit,
      r: commands.onTurn,
    };
    const pan = view.scale > 1 ? pans[key] : undefined;
    if (pan) setView((now) => moveBy(now, ...pan, frame));
    else if (actions[key]) actions[key]();
    else return false;
    return true;
  });

  if (sources.failed) {
    return (
      <Notice
        alert
        icon={<IconPhotoOff size={38} />}
        title={t('viewer.failed.title')}
        text={t('viewer.failed.picture')}
        onAgain={() => {
          sources.again();
          onAgain();
        }}
        onDownload={onDownload}
      />
    );
  }
  const shown = within(view, frame);
  const sideways = view.turn % 180 !== 0;
  return (
    <>
      <div
        ref={ref}
        className={classes.stage}
        data-zoomed={view.scale > 1 || undefined}
        data-scale={view.scale}
        data-turn={view.turn}
        data-full={sources.full ? true : undefined}
        data-testid="picture-stage"
        {...gestures}
      >
        <div
          className={classes.picture}
          style={{
            width: sideways ? frame.fitted.height : frame.fitted.width,
            height: sideways ? frame.fitted.width : frame.fitted.height,
            transform: `translate(${shown.x}px, ${shown.y}px) scale(${shown.scale}) rotate(${view.turn}deg)`,
          }}
        >
          {sources.urls.map(({ url, onLoad, onError, hidden }) => (
            <img
              key={url}
              src={url}
              alt={hidden ? '' : t('viewer.picture.alt', { name: file.name })}
              aria-hidden={hidden || undefined}
              className={classes.image}
              data-waiting={hidden || undefined}
              data-clear={(sources.size && !/jpe?g|hei[cf]/.test(file.mimeType)) || undefined}
              draggable={false}
              decoding="sync"
              onLoad={onLoad}
              onError={onError}
            />
          ))}
        </div>
      </div>
      {sources.size === null && <Waiting label={t('viewer.wait', { name: file.name })} />}
      {preview.kind !== 'image' && (
        <p className={classes.hint}>
          {t(onDownload ? 'viewer.picture.firstPage' : 'viewer.picture.firstPageOnly')}
        </p>
      )}
      <PictureTools scale={view.scale} largest={frame.largest} {...commands} />
    </>
  );
}

/** The stage and the picture in it; the zoom is limited relative to the picture's own pixels. */
function frameOf(natural: Size | null, preview: Preview, stage: Size, turn: number) {
  const original = { width: preview.width ?? 0, height: preview.height ?? 0 };
  const known = natural ?? (original.width ? original : { width: 0, height: 0 });
  // The preview is shown in the original's size.
  const enlargement = Math.max(
    1,
    Math.max(original.width, original.height) / Math.max(known.width, known.height, 1),
  );
  const fitted = sizeWithin(
    { width: known.width * enlargement, height: known.height * enlargement },
    stage,
    turn,
  );
  const pixels = Math.max(known.width, known.height) * enlargement;
  const largest = Math.max(4, (2 * pixels) / Math.max(1, fitted.width, fitted.height));
  return { stage, fitted, largest };
}

/** The pictures to draw, the preview below the original, and their loading states. */
function useSources(file: FileItem, preview: Preview) {
  // Fresh URLs do not reload what is already shown.
  const [small] = useState(preview.pictureUrl);
  const animated = file.mimeType === 'image/gif' && prefersReducedMotion();
  const [original] = useState(preview.kind === 'image' && !(animated && small) ? preview.url : null);
  const [size, setSize] = useState<Size | null>(null);
  const [full, setFull] = useState<Size | null>(null);
  const [broken, setBroken] = useState<string[]>([]);
  const usable = [small, original].filter((url): url is string => url !== null && !broken.includes(url));
  const failed = usable.length === 0;
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each round
  useEffect(() => setBroken([]), [round]);
  const sizeOf = ({ currentTarget }: React.SyntheticEvent<HTMLImageElement>) => ({
    width: currentTarget.naturalWidth || 512,
    height: currentTarget.naturalHeight || 512,
  });
  // The original is loaded after the preview and then replaces it.
  const first = size || !small || broken.includes(small) ? usable : usable.slice(0, 1);
  const drawn = full ? first.slice(-1) : first;
  return {
    size,
    full,
    failed,
    again: () => setRound((count) => count + 1),
    urls: drawn.map((url) => ({
      url,
      hidden: url === original && full === null,
      onLoad: (event: React.SyntheticEvent<HTMLImageElement>) => {
        setSize(sizeOf(event));
        if (url === original) setFull(sizeOf(event));
      },
      onError: () => setBroken((urls) => [...urls, url]),
    })),
  };
}
