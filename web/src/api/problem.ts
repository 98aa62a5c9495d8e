/** Errors of the API: what the server refused (RFC 9457), and what never reached it. */

import type { ProblemCode } from './types';

/** One field of the input that the server did not accept. */
export interface FieldError {
  field: string;
  message: string;
}

/** The server's answer to a request that it refused. `code` is stable; `detail` is for people. */
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

/** The request got no answer: no network, no server, or no answer in time. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';

  constructor(readonly timedOut = false) {
    super(timedOut ? 'The server took too long' : 'The server cannot be reached');
  }
}

/** Reads a refusal, whatever stands between the server and us made of it. */
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

/** Whether `error` is the server's refusal with one of these machine codes or statuses. */
export function isProblem(error: unknown, ...which: (ProblemCode | number)[]): error is ApiProblem {
  return (
    error instanceof ApiProblem &&
    (!which.length || which.some((one) => one === error.code || one === error.status))
  );
}

/** Whether trying again later may help: no answer, or the server's own trouble. */
export function isPassing(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiProblem && [408, 425, 429, 500, 502, 503, 504].includes(error.status);
}
