import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { isProblem } from '@/api/problem';
import type { Item, SharedLink, Visit } from '@/api/types';
import * as calls from './calls';

/** How often an open page asks whether the link is still valid, which also renews the grant. */
const CHECK_MS = 3_500;

/** Where a visit of a link stands. */
export type VisitState =
  | { state: 'loading' }
  | { state: 'failed'; error: unknown; again: () => void }
  | { state: 'over'; problem: unknown; ownerName: string | null }
  | { state: 'password'; error: unknown; busy: boolean; again: boolean; submit: (password: string) => void }
  | { state: 'open'; link: SharedLink; visit: Visit; item: Item };

/** The beginning of the keys of a link's queries. */
export function keyOf(token: string): readonly string[] {
  return ['shared', token];
}

/**
 * Opens a link, by its password if it has one, and follows whether it stays open. Call `check` with the error of any
 * other request of the visitor: it finds out whether the grant has ended or the link is over.
 */
export function useVisit(token: string): { visit: VisitState; check: (error: unknown) => void } {
  const queries = useQueryClient();
  const key = keyOf(token);
  const link = useQuery({
    queryKey: [...key, 'link'],
    queryFn: ({ signal }) => calls.describe(token, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const known = link.data;
  // Opening counts, so it is done once, and never while a password is missing.
  const opened = useQuery({
    queryKey: [...key, 'visit'],
    queryFn: () => calls.open(token, null),
    enabled: known !== undefined && (known.hasAccess || !known.requiresPassword),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const guess = useMutation({
    mutationFn: (password: string) => calls.open(token, password),
    onSuccess: async (visit) => {
      queries.setQueryData([...key, 'visit'], visit);
      await queries.invalidateQueries({ queryKey: [...key, 'link'] });
    },
  });
  const visit = opened.data;
  const root = visit?.file ?? visit?.folder ?? null;
  const alive = useQuery({
    queryKey: [...key, 'item', root?.id],
    queryFn: ({ signal }) => calls.item(token, root?.id ?? '', signal),
    enabled: root !== null,
    initialData: root ?? undefined,
    initialDataUpdatedAt: 0,
    refetchInterval: CHECK_MS,
    refetchIntervalInBackground: true,
    retry: false,
  });

  const check = useCallback(
    (error: unknown) => {
      const key = keyOf(token);
      // Opens it again, unless that did not help the last time: a browser that keeps no cookies would open it, and
      // count an access, again and again.
      if (isProblem(error, 401) && hasWorked(queries, key)) {
        void queries.refetchQueries({ queryKey: [...key, 'visit'] }, { cancelRefetch: false });
      }
      if (isProblem(error, 401, 404, 410)) void queries.refetchQueries({ queryKey: [...key, 'link'] });
    },
    [queries, token],
  );
  useEffect(() => {
    if (alive.error) check(alive.error);
  }, [alive.error, check]);

  const ended = [link.error, opened.error, guess.error].find((error) => isProblem(error, 404, 410));
  const state = (): VisitState => {
    if (ended) return { state: 'over', problem: ended, ownerName: known?.ownerName ?? null };
    const locked = isProblem(alive.error, 401) && alive.errorUpdatedAt > opened.dataUpdatedAt;
    if (
      known?.requiresPassword &&
      (isProblem(opened.error, 401) || (!known.hasAccess && (!visit || locked)))
    ) {
      const again = visit !== undefined || opened.error !== null;
      return { state: 'password', error: guess.error, busy: guess.isPending, again, submit: guess.mutate };
    }
    if (locked && !hasWorked(queries, key)) {
      return { state: 'failed', error: alive.error, again: () => location.reload() };
    }
    if (known && visit && root) return { state: 'open', link: known, visit, item: alive.data ?? root };
    const error = link.error ?? opened.error;
    if (!error) return { state: 'loading' };
    return { state: 'failed', error, again: () => void (link.error ? link : opened).refetch() };
  };
  return { visit: state(), check };
}

/** Whether requests have succeeded since the link was opened. */
function hasWorked(queries: QueryClient, key: readonly string[]): boolean {
  const opened = queries.getQueryState<Visit>([...key, 'visit']);
  const root = opened?.data?.file ?? opened?.data?.folder;
  const answered = root && queries.getQueryState([...key, 'item', root.id])?.dataUpdatedAt;
  return Boolean(answered && answered > (opened?.dataUpdatedAt ?? 0));
}
