import { vi } from 'vitest';

interface SentRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Blob;
}

interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Replaces `XMLHttpRequest`; each request gets the next reply, or none (`null`). Records the requests. */
export function fakeXhr(...replies: (Reply | null)[]): SentRequest[] {
  const sent: SentRequest[] = [];
  class FakeXhr {
    readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    status = 0;
    responseText = '';
    #method = '';
    #url = '';
    readonly #headers: Record<string, string> = {};
    #replied: Record<string, string> = {};

    open(method: string, url: string) {
      this.#method = method;
      this.#url = url;
    }

    setRequestHeader(name: string, value: string) {
      this.#headers[name] = value;
    }

    getResponseHeader(name: string) {
      return this.#replied[name] ?? null;
    }

    abort() {
      this.onabort?.();
    }

    send(body: Blob) {
      sent.push({ method: this.#method, url: this.#url, headers: this.#headers, body });
      const reply = replies.shift();
      queueMicrotask(() => {
        this.upload.onprogress?.({ loaded: body.size });
        if (!reply) return this.onerror?.();
        this.status = reply.status;
        this.#replied = reply.headers ?? {};
        this.responseText = JSON.stringify(reply.body ?? {});
        this.onload?.();
      });
    }
  }
  vi.stubGlobal('XMLHttpRequest', FakeXhr);
  return sent;
}
