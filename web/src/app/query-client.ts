import { QueryClient } from '@tanstack/react-query';
import { isProblem, isTemporary } from '@/api/problem';

/**
 * Server state. Queries fail rather than hang: they run even when the browser believes itself offline, and fail
 * after two retries, so that a screen can show the error and a retry button.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      networkMode: 'always',
      retry: (failures, error) => isTemporary(error) && !isProblem(error, 429) && failures < 2,
      retryDelay: (failures) => 500 * 2 ** failures,
    },
    mutations: { networkMode: 'always' },
  },
});
