/** Zooming, panning and rotating a picture, as pure functions. Lengths are CSS pixels. */

/** A size. */
export interface Size {
  width: number;
  height: number;
}

/** A point, relative to the centre of the stage. */
export interface Point {
  x: number;
  y: number;
}

/** A view: `scale` 1 fits the stage, `x` and `y` are the offset from its centre, `turn` is in degrees. */
export interface View extends Point {
  scale: number;
  turn: number;
}

/** The limits of a view: the stage, and the rotated picture fitted into it. */
export interface Frame {
  stage: Size;
  fitted: Size;
  largest: number;
}

/** The whole picture, upright. */
export const whole: View = { scale: 1, x: 0, y: 0, turn: 0 };

/** Returns the size of a picture fitted into the stage, never enlarged. */
export function sizeWithin(picture: Size, stage: Size, turn = 0): Size {
  const sideways = turn % 180 !== 0;
  const [width, height] = sideways ? [picture.height, picture.width] : [picture.width, picture.height];
  if (!width || !height) return { width: 0, height: 0 };
  const share = Math.min(1, stage.width / width, stage.height / height);
  return { width: width * share, height: height * share };
}

/** Zooms by a factor around `point`. */
export function zoomAt(view: View, factor: number, point: Point, frame: Frame): View {
  const scale = clamp(view.scale * factor, 1, frame.largest);
  const by = scale / view.scale;
  const moved = {
    ...view,
    scale,
    x: point.x - (point.x - view.x) * by,
    y: point.y - (point.y - view.y) * by,
  };
  return within(moved, frame);
}

/** Pans the picture. */
export function moveBy(view: View, dx: number, dy: number, frame: Frame): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy }, frame);
}

/** Rotates the view clockwise by 90° and fits the picture again. */
export function turnRight(view: View): View {
  return { ...whole, turn: (view.turn + 90) % 360 };
}

/** Limits panning so that a larger picture always covers the stage. */
export function within(view: View, { stage, fitted }: Frame): View {
  const room = (length: number, available: number) => Math.max(0, (length * view.scale - available) / 2);
  const [right, down] = [room(fitted.width, stage.width), room(fitted.height, stage.height)];
  return { ...view, x: clamp(view.x, -right, right), y: clamp(view.y, -down, down) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
