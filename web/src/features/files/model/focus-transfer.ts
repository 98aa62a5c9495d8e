/**
 * Opening a folder removes the focused row. The next list takes the focus, so that the keyboard continues there.
 */
let requested = false;

/** Lets the next list take the focus. */
export function requestListFocus(): void {
  requested = true;
}

/** Whether a newly mounted list should take the focus; true only once. */
export function takeFocusRequest(): boolean {
  const now = requested;
  requested = false;
  return now;
}
