import { useQuery } from '@tanstack/react-query';
import { tilesOf } from '../model/sprite';

/** The pictures of a film's time line; none until they are there. */
export function useSprite(address: string | null) {
  const { data } = useQuery({
    queryKey: ['sprite', address],
    enabled: address !== null,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const url = address ?? '';
      const response = await fetch(url, { credentials: 'omit', signal });
      return response.ok ? tilesOf(await response.text(), response.url || url) : [];
    },
  });
  return data ?? [];
}
