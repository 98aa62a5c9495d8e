/** Reads from local storage; `null` where the browser blocks it. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Writes to local storage, unless the browser blocks it. */
export function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // If the storage is blocked or full, only a preference is lost.
  }
}
