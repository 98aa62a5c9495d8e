/** Whether the reader has asked for as little motion as possible; to be asked at once, not after a first drawing. */
export function prefersStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
