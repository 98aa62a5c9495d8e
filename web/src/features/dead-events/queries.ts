/** Queries for dead letters, and their redelivery. */
import { infiniteQueryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';
import { randomKey } from '@/lib/ids';

/** All dead events, latest first. */
export const deadEventsQuery = infiniteQueryOptions({
  queryKey: ['dead-events'],
  queryFn: ({ pageParam, signal }) =>
    dataOf(
      api.GET('/api/v1/admin/events/dead', {
        params: { query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
        signal,
      }),
    ),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor ?? null,
  staleTime: 5_000,
});

/** Redelivers an event to the consumer that failed to handle it. */
export function useRedeliver() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      dataOf(
        api.POST('/api/v1/admin/events/dead/{dead_id}/redeliver', {
          params: { path: { dead_id: id } },
          headers: { 'Idempotency-Key': randomKey() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: deadEventsQuery.queryKey }),
  });
}
