import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';

/** An address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <main id="content">
      <NoticeState
        icon={<IconMapOff size={34} />}
        title={t('common.notFound.title')}
        text={t('common.notFound.text')}
      >
        <Button component={Link} to="/drive" mt="sm">
          {t('common.notFound.home')}
        </Button>
      </NoticeState>
    </main>
  );
}
