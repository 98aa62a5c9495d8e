/** Whether the user prefers reduced motion; synchronous, for use before the first render. */
export function prefersStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
