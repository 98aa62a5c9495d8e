import { useEffect } from 'react';
import { TrashPage } from '@/features/files';
import { ROOT, setPlace } from '../place';

/** `/trash` */
export function TrashRoute() {
  useEffect(() => setPlace(ROOT), []);
  return <TrashPage />;
}
