/** The typed client: paths, parameters and answers are checked against the generated contract. */
import createClient from 'openapi-fetch';
import { problemOf } from './problem';
import { transport } from './transport';
import type { Paths } from './types';

/** Calls the API; wrap each call in `answer` to get its data or a thrown problem. */
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

/** The data of a call. Throws `ApiProblem` when the server refused it, `UnreachableError` when none answered. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
