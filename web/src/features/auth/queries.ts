/** Queries and mutations for the current user. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import type { User } from '@/api/types';

/** The signed-in user; fails with a 401 problem when there is none. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async (): Promise<User> => (await dataOf(api.GET('/api/v1/auth/me'))).user,
  staleTime: 30_000,
});

/** The server's public configuration: whether registration is open. */
export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: () => dataOf(api.GET('/api/v1/config')),
  staleTime: 5 * 60_000,
});

/** The signed-in user. */
export const useMe = () => useQuery(meQuery);

/** A username or e-mail address, and the password. */
export interface Credentials {
  username: string;
  password: string;
}

/** Signs in and caches the user. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: Credentials) => (await dataOf(api.POST('/api/v1/auth/login', { body }))).user,
    onSuccess: (user) => queries.setQueryData(meQuery.queryKey, user),
  });
}

/** The input of a registration. */
export interface NewAccount extends Credentials {
  email: string;
  displayName: string | null;
}

/** Registers an account and signs in with it. */
export function useRegister() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: NewAccount) => {
      await dataOf(api.POST('/api/v1/auth/register', { body }));
      const { username, password } = body;
      return (await dataOf(api.POST('/api/v1/auth/login', { body: { username, password } }))).user;
    },
    onSuccess: (user) => queries.setQueryData(meQuery.queryKey, user),
  });
}

/** Ends the session on the server. */
export function useSignOut() {
  return useMutation({ mutationFn: () => dataOf(api.POST('/api/v1/auth/logout')) });
}
