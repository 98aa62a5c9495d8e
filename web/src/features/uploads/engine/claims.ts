/**
 * Claims of tabs on uploads. A Web Lock per upload is held while it runs, so that a second tab neither sends the same
 * parts nor offers the upload as interrupted.
 */
const PREFIX = 'metastore.upload.';

/** Claims on uploads between tabs. */
export interface UploadClaims {
  /** Holds the claim while `work` runs; resolves to `null` without running it when another tab has it. */
  hold<T>(uploadId: string, work: () => Promise<T>): Promise<T | null>;
  /** The uploads that are claimed by any tab. */
  held(): Promise<Set<string>>;
}

/** Claims by Web Locks; without them (no secure context) every claim is granted. */
export const browserClaims: UploadClaims = {
  async hold(uploadId, work) {
    if (!navigator.locks) return await work();
    return await navigator.locks.request(PREFIX + uploadId, { ifAvailable: true }, (lock) =>
      lock ? work() : null,
    );
  },
  async held() {
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const names = held.map((lock) => lock.name ?? '').filter((name) => name.startsWith(PREFIX));
    return new Set(names.map((name) => name.slice(PREFIX.length)));
  },
};
