import { useMediaQuery } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';

/** Toasts: at the bottom, or at the top on narrow screens, where the upload panel is at the bottom. */
export function Toasts() {
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;
  return (
    <Notifications
      position={narrow ? 'top-center' : 'bottom-center'}
      limit={narrow ? 1 : 3}
      autoClose={6000}
      containerWidth={380}
      zIndex={450}
    />
  );
}
