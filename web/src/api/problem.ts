/** API errors: problem documents (RFC 9457), and requests that got no response. */

import type { ProblemCode } from './types';

/** An invalid field of the input. */
export interface FieldError {
  field: string;
  message: string;
}

/** An error response. Decide by `code`, a `ProblemCode` unless a proxy or a newer server responded. */
export class ApiProblem extends Error {
  override name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    /** Seconds to wait, from `Retry-After`. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail || code);
  }
}

/** The request got no response: no network, no server, or a timeout. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';

  constructor(readonly timedOut = false) {
    super(timedOut ? 'The server took too long' : 'The server cannot be reached');
  }
}

/** Parses an error response, including those of proxies that are no problem documents. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const wait = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  const body: unknown = await response.json().catch(() => null);
  const read = (key: string) => {
    const value = body && typeof body === 'object' ? (body as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const errors =
    body && typeof body === 'object' && 'errors' in body && Array.isArray(body.errors)
      ? (body.errors as FieldError[])
      : [];
  return new ApiProblem(
    response.status,
    read('code') ?? `http-${response.status}`,
    read('detail') ?? '',
    errors,
    retryAfter,
  );
}

/** Whether `error` is an error response, with one of these codes or statuses if any are given. */
export function isProblem(error: unknown, ...which: (ProblemCode | number)[]): error is ApiProblem {
  return (
    error instanceof ApiProblem &&
    (!which.length || which.some((one) => one === error.code || one === error.status))
  );
}

/** Whether retrying later may help: no response, or a temporary failure of the server. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiProblem && [408, 425, 429, 500, 502, 503, 504].includes(error.status);
}
