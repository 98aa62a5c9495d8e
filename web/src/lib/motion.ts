/** Whether the user prefers reduced motion; synchronous, for use before the first render. */
export function prefersReducedMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
