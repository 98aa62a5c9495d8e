import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';

/** The page for an unknown address. */
export function NotFoundPage() {
  return (
    <main id="content">
      <NotFound />
    </main>
  );
}

/** Says that the page does not exist, with a link to the drive. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <NoticeState
      icon={<IconMapOff size={34} />}
      title={t('common.notFound.title')}
      text={t('common.notFound.text')}
    >
      <Button component={Link} to="/drive" mt="sm">
        {t('common.notFound.home')}
      </Button>
    </NoticeState>
  );
}
