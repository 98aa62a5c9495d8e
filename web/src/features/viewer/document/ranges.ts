/** Reads a PDF by ranges from a presigned URL, renewing it when it has expired. */
import { PDFDataRangeTransport } from 'pdfjs-dist/legacy/build/pdf.mjs';

const TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;

/** Returns a fresh URL of the same bytes. */
export type Renew = () => Promise<string | null>;

/** Range access to the bytes of a document. */
export class Ranges extends PDFDataRangeTransport {
  readonly #end = new AbortController();
  #renewing: Promise<string | null> | null = null;

  constructor(
    private url: string,
    length: number,
    private readonly renew: Renew,
    private readonly onFail: (error: unknown) => void,
  ) {
    super(length, null);
  }

  override requestDataRange(begin: number, end: number): void {
    this.#fetch(begin, end).then(
      (bytes) => this.onDataRange(begin, bytes),
      (error: unknown) => this.#end.signal.aborted || this.onFail(error),
    );
  }

  override abort(): void {
    this.#end.abort();
  }

  async #fetch(begin: number, end: number): Promise<Uint8Array> {
    for (let left = ATTEMPTS; ; left -= 1) {
      const url = this.url;
      try {
        return await read(url, begin, end, this.#end.signal);
      } catch (error) {
        if (this.#end.signal.aborted || left <= 1) throw error;
        if (error instanceof ExpiredError) await this.#refresh(url);
      }
    }
  }

  /** Renews the URL once for all requests that found it expired. */
  async #refresh(old: string): Promise<void> {
    if (this.url !== old) return;
    this.#renewing ??= this.renew().finally(() => {
      this.#renewing = null;
    });
    this.url = (await this.#renewing) ?? this.url;
  }
}

class ExpiredError extends Error {}

async function read(url: string, begin: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, {
    headers: { Range: `bytes=${begin}-${end - 1}` },
    // A share link's URLs need the visitor's cookie, and redirect to the store.
    credentials: 'same-origin',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (response.status === 403) throw new ExpiredError('The URL has expired');
  if (!response.ok) throw new Error(`The store responded with ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some proxies ignore ranges and respond with the whole file.
  return response.status === 206 ? bytes : bytes.slice(begin, end);
}
