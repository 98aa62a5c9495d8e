import { QueryClient } from '@tanstack/react-query';
import { isPassing, isProblem } from '@/api/problem';

/**
 * Server state. Queries fail rather than hang: they are asked even when the browser believes itself offline, and
 * give up after a second try, so that a screen can say so and offer to try again.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      networkMode: 'always',
      retry: (failures, error) => isPassing(error) && !isProblem(error, 429) && failures < 2,
      retryDelay: (failures) => 500 * 2 ** failures,
    },
    mutations: { networkMode: 'always' },
  },
});
