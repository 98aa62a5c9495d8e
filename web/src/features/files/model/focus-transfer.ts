/**
 * Opening a folder removes the focused row. The next list takes the focus, so that the keyboard continues there.
 */
let wanted = false;

/** Lets the next list take the focus. */
export function handFocusOver(): void {
  wanted = true;
}

/** Whether a newly mounted list should take the focus; true only once. */
export function takeFocusOver(): boolean {
  const now = wanted;
  wanted = false;
  return now;
}
