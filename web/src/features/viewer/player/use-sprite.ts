import { useQuery } from '@tanstack/react-query';
import { tilesOf } from '../model/sprite';

/** The sprite tiles of a film's timeline; empty until they are loaded. */
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
