/**
 * Opening a folder takes away the row that had the focus. The list that comes next takes the focus over, so that
 * the keyboard goes on where the eye is.
 */
let wanted = false;

/** The next list is to take the focus. */
export function handFocusOver(): void {
  wanted = true;
}

/** Whether a list that has just come is to take the focus; says yes once. */
export function takeFocusOver(): boolean {
  const now = wanted;
  wanted = false;
  return now;
}
