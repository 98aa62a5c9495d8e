/** The typed client: paths, parameters and responses are checked against the generated contract. */
import createClient from 'openapi-fetch';
import { problemOf } from './problem';
import { transport } from './transport';
import type { Paths } from './types';

/** The API client; wrap each call in `dataOf` to get its data or a thrown error. */
export const api = createClient<Paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  fetch: transport,
});

api.use({
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
});

/** Returns the data of a call. Throws `ApiProblem` for an error response, `UnreachableError` without a response. */
export async function dataOf<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
