import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { clock } from '../model/clock';
import { type Tile, tileAt } from '../model/sprite';
import classes from './time-bar.module.css';

interface Props {
  time: number;
  duration: number;
  buffered: number;
  /** The end of what is seekable. */
  edge: number;
  tiles: Tile[];
  onSeek: (time: number) => void;
  /** Drawn instead of the line. */
  children?: ReactNode;
}

const TILE_WIDTH = 176;

/** The timeline: shows the position and seeks, with sprite previews. */
export function TimeBar({ time, duration, buffered, edge, tiles, onSeek, children }: Props) {
  const { t } = useTranslation();
  const bar = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [drag, setDrag] = useState<number | null>(null);
  const at = drag ?? time;
  const share = (moment: number) => `${duration ? Math.min(100, (moment / duration) * 100) : 0}%`;
  const timeUnder = ({ clientX }: PointerEvent): number => {
    const box = bar.current?.getBoundingClientRect();
    if (!box?.width) return 0;
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * duration;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: time - 5,
      ArrowDown: time - 5,
      ArrowRight: time + 5,
      ArrowUp: time + 5,
      PageDown: time - 60,
      PageUp: time + 60,
      Home: 0,
      End: duration,
    };
    const to = steps[event.key];
    if (to === undefined || event.shiftKey) return;
    event.preventDefault();
    onSeek(to);
  };
  const pointed = drag ?? hover;
  return (
    <div
      ref={bar}
      role="slider"
      tabIndex={0}
      aria-label={t('viewer.player.seek')}
      aria-valuemin={0}
      aria-valuemax={Math.round(duration)}
      aria-valuenow={Math.round(Math.min(at, duration))}
      aria-valuetext={t('viewer.player.at', { at: clock(at), duration: clock(duration) })}
      className={classes.bar}
      data-drawn={children !== undefined || undefined}
      data-testid="time-bar"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        setDrag(timeUnder(event));
      }}
      onPointerMove={(event) => {
        const under = timeUnder(event);
        setHover(under);
        if (drag !== null) setDrag(under);
      }}
      onPointerUp={(event) => {
        if (drag === null) return;
        onSeek(timeUnder(event));
        setDrag(null);
      }}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => setHover(null)}
    >
      {children ?? (
        <div className={classes.line}>
          <div className={classes.there} style={{ width: share(edge || duration) }} />
          <div className={classes.buffered} style={{ width: share(buffered) }} />
          <div className={classes.played} style={{ width: share(at) }} />
        </div>
      )}
      <div className={classes.knob} style={{ left: share(at) }} />
      {pointed !== null && duration > 0 && (
        <TimePreview time={pointed} share={share(pointed)} tile={tileAt(tiles, pointed)} />
      )}
    </div>
  );
}

/** The time under the pointer. */
function TimePreview({ time, share, tile }: { time: number; share: string; tile: Tile | null }) {
  const scale = tile ? TILE_WIDTH / tile.width : 1;
  return (
    <div
      className={classes.pointed}
      style={{ left: `clamp(${TILE_WIDTH / 2}px, ${share}, 100% - ${TILE_WIDTH / 2}px)` }}
      aria-hidden="true"
      data-testid="time-preview"
    >
      {tile && (
        <div className={classes.tile} style={{ width: TILE_WIDTH, height: tile.height * scale }}>
          <div
            style={{
              width: tile.width,
              height: tile.height,
              background: `url("${tile.url}") -${tile.x}px -${tile.y}px`,
              transform: `scale(${scale})`,
              transformOrigin: '0 0',
            }}
          />
        </div>
      )}
      <span className={`${classes.moment} tabular`}>{clock(time)}</span>
    </div>
  );
}
