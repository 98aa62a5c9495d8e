import { vi } from 'vitest';

type Reply = { status?: number; body?: unknown; headers?: Record<string, string> };
type Handler = (body: unknown, url: URL) => Reply | Promise<Reply>;

/** Replaces `fetch` with handlers by `METHOD /path`, and records the requests. */
export class FakeServer {
  readonly requests: string[] = [];
  readonly #handlers = new Map<string, Handler>();

  /** Sets the response, or the handler, of a route; replaces an earlier one. */
  on(route: string, handler: Handler | Reply): this {
    this.#handlers.set(route, typeof handler === 'function' ? handler : () => handler);
    return this;
  }

  /** Replaces `fetch` until the end of the test. */
  install(): this {
    vi.stubGlobal('fetch', (request: Request | string) => this.#respond(request));
    return this;
  }

  async #respond(request: Request | string): Promise<Response> {
    const { method, url, text } =
      typeof request === 'string'
        ? { method: 'GET', url: new URL(request, location.origin), text: '' }
        : { method: request.method, url: new URL(request.url), text: await request.text() };
    const route = `${method} ${url.pathname}`;
    this.requests.push(route + url.search);
    const handler = this.#handlers.get(route);
    if (!handler) return reply({ status: 404, body: { code: 'not-found', detail: `No ${route}` } });
    return reply(await handler(text ? JSON.parse(text) : null, url));
  }
}

function reply({ status = 200, body, headers = {} }: Reply): Response {
  return new Response(status === 204 ? null : JSON.stringify(body ?? {}), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}
