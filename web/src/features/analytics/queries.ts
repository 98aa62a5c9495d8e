/** Queries for the daily figures. */
import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '@/api/client';

/** The figures of the last `days` days, today included. */
export function analyticsQuery(days: number) {
  return queryOptions({
    queryKey: ['analytics', days],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
      return dataOf(api.GET('/api/v1/admin/analytics', { params: { query: { from } }, signal }));
    },
  });
}
