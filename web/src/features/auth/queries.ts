/** The signed-in user, and the ways in and out. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api } from '@/api/client';
import type { User } from '@/api/types';

/** Who is signed in. Fails with a 401 problem when nobody is. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async (): Promise<User> => (await answer(api.GET('/api/v1/auth/me'))).user,
  staleTime: 30_000,
});

/** What the server tells everybody: whether it takes new accounts. */
export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: () => answer(api.GET('/api/v1/config')),
  staleTime: 5 * 60_000,
});

/** The signed-in user. */
export const useMe = () => useQuery(meQuery);

/** A username (or e-mail address) and its password. */
export interface Credentials {
  username: string;
  password: string;
}

/** Signs in and puts the user in place. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: Credentials) => (await answer(api.POST('/api/v1/auth/login', { body }))).user,
    onSuccess: (user) => queries.setQueryData(meQuery.queryKey, user),
  });
}

/** What an account is made of. */
export interface NewAccount extends Credentials {
  email: string;
  displayName: string | null;
}

/** Makes an account and signs in with it. */
export function useRegister() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: NewAccount) => {
      await answer(api.POST('/api/v1/auth/register', { body }));
      const { username, password } = body;
      return (await answer(api.POST('/api/v1/auth/login', { body: { username, password } }))).user;
    },
    onSuccess: (user) => queries.setQueryData(meQuery.queryKey, user),
  });
}

/** Ends the session on the server. */
export function useSignOut() {
  return useMutation({ mutationFn: () => answer(api.POST('/api/v1/auth/logout')) });
}
