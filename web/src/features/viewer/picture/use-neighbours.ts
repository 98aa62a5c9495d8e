import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { familyOf } from '@/lib/file-family';
import type { Place } from '../model/neighbours';
import { previewQuery } from '../queries';
import { useViewerSource } from '../source';

/** Preloads the previous and the next picture once `ready`. */
export function useNeighbours({ previous, next }: Place, ready: boolean): void {
  const queries = useQueryClient();
  const source = useViewerSource();
  const wanted = [next, previous]
    .filter((file) => file && familyOf(file.name, file.mimeType) === 'image')
    .map((file) => file?.id)
    .join(' ');
  useEffect(() => {
    if (!ready) return;
    for (const id of wanted.split(' ').filter(Boolean)) {
      void queries.fetchQuery(previewQuery(source, id)).then(
        ({ pictureUrl }) => {
          if (pictureUrl) new Image().src = pictureUrl;
        },
        () => undefined,
      );
    }
  }, [queries, source, wanted, ready]);
}
