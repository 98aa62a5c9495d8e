/** Zooming, moving and turning a picture within its stage, as pure steps. Lengths are CSS pixels. */

/** How large something is. */
export interface Size {
  width: number;
  height: number;
}

/** A point, from the middle of the stage. */
export interface Point {
  x: number;
  y: number;
}

/** How a picture is looked at: `scale` 1 fits the stage, `x` and `y` move it off the middle, `turn` is in degrees. */
export interface View extends Point {
  scale: number;
  turn: number;
}

/** What limits a view: the stage, and the picture as it fits it, turned already. */
export interface Frame {
  stage: Size;
  fitted: Size;
  largest: number;
}

/** The whole picture, upright. */
export const whole: View = { scale: 1, x: 0, y: 0, turn: 0 };

/** The largest size of a picture that fits the stage, never beyond its own pixels; turned by quarters. */
export function sizeWithin(picture: Size, stage: Size, turn = 0): Size {
  const lying = turn % 180 !== 0;
  const [width, height] = lying ? [picture.height, picture.width] : [picture.width, picture.height];
  if (!width || !height) return { width: 0, height: 0 };
  const share = Math.min(1, stage.width / width, stage.height / height);
  return { width: width * share, height: height * share };
}

/** Zooms by a factor, with what is at `point` staying there. */
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

/** Moves the picture. */
export function moveBy(view: View, dx: number, dy: number, frame: Frame): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy }, frame);
}

/** Turns the view to the right by a quarter; the picture fits again afterwards. */
export function turnRight(view: View): View {
  return { ...whole, turn: (view.turn + 90) % 360 };
}

/** Keeps the picture's edges from coming inside the stage's where the picture is larger. */
export function within(view: View, { stage, fitted }: Frame): View {
  const room = (length: number, available: number) => Math.max(0, (length * view.scale - available) / 2);
  const [right, down] = [room(fitted.width, stage.width), room(fitted.height, stage.height)];
  return { ...view, x: clamp(view.x, -right, right), y: clamp(view.y, -down, down) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
