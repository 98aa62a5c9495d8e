import { type PointerEvent, type RefObject, useEffect, useRef } from 'react';
import type { Point } from '../model/zoom';

/** The actions that gestures trigger. */
export interface GestureHandlers {
  zoomed: boolean;
  onZoom: (factor: number, at: Point) => void;
  onMove: (dx: number, dy: number) => void;
  /** Toggles the zoom at a point. */
  onToggle: (at: Point) => void;
  /** A swipe: -1 to the previous picture, 1 to the next. */
  onSwipe: (way: -1 | 1) => void;
}

const TAP_MS = 300;
const TAP_PX = 30;
const SWIPE_PX = 60;

/** Recognises gestures on the stage; spread the returned props on it. */
export function useGestures(stage: RefObject<HTMLElement | null>, handlers: GestureHandlers) {
  const latest = useRef(handlers);
  latest.current = handlers;
  const pointers = useRef(new Map<number, Point>());
  const start = useRef<(Point & { many: boolean }) | null>(null);
  const tapped = useRef<(Point & { time: number }) | null>(null);

  const fromCentre = (event: { clientX: number; clientY: number }): Point => {
    const box = stage.current?.getBoundingClientRect();
    if (!box) return { x: 0, y: 0 };
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };

  // React's wheel listeners are passive, so the page would zoom with a pinch on a touchpad.
  useEffect(() => {
    const element = stage.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const at = { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      latest.current.onZoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), at);
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [stage]);

  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as HTMLElement).closest('button')) return;
      stage.current?.setPointerCapture?.(event.pointerId);
      const at = fromCentre(event);
      pointers.current.set(event.pointerId, at);
      start.current = { ...at, many: pointers.current.size > 1 };
    },
    onPointerMove: (event: PointerEvent) => {
      const before = pointers.current.get(event.pointerId);
      if (!before) return;
      const at = fromCentre(event);
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
      pointers.current.set(event.pointerId, at);
      if (other) {
        const [was, is] = [distance(before, other), distance(at, other)];
        if (was > 0) latest.current.onZoom(is / was, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
        latest.current.onMove((at.x - before.x) / 2, (at.y - before.y) / 2);
      } else if (latest.current.zoomed) latest.current.onMove(at.x - before.x, at.y - before.y);
    },
    onPointerUp: (event: PointerEvent) => {
      if (!pointers.current.delete(event.pointerId) || event.pointerType === 'mouse') return;
      const [at, from] = [fromCentre(event), start.current];
      if (!from || from.many || pointers.current.size) return;
      const [dx, dy] = [at.x - from.x, at.y - from.y];
      if (!latest.current.zoomed && Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 1.5 * Math.abs(dy)) {
        latest.current.onSwipe(dx > 0 ? -1 : 1);
        return;
      }
      const again = tapped.current;
      const tap = Math.hypot(dx, dy) < TAP_PX ? { ...at, time: event.timeStamp } : null;
      if (tap && again && tap.time - again.time < TAP_MS && distance(tap, again) < TAP_PX) {
        tapped.current = null;
        latest.current.onToggle(at);
      } else tapped.current = tap;
    },
    onPointerCancel: ({ pointerId }: PointerEvent) => void pointers.current.delete(pointerId),
    onDoubleClick: (event: React.MouseEvent) => {
      // Double taps are recognised from the pointer events above.
      const { pointerType } = event.nativeEvent as unknown as { pointerType?: string };
      if (pointerType !== 'touch' && !(event.target as HTMLElement).closest('button')) {
        if (tapped.current === null) latest.current.onToggle(fromCentre(event));
      }
    },
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
