import { useMediaQuery } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';

/** Short messages: below the page, or above it on narrow screens, where the uploads have the bottom. */
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
