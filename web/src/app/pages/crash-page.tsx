import { Button } from '@mantine/core';
import { IconMoodSad } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';

/** Shown instead of a page that crashed. */
export function CrashPage() {
  const { t } = useTranslation();
  return (
    <main>
      <NoticeState
        icon={<IconMoodSad size={34} />}
        title={t('common.crashed.title')}
        text={t('common.crashed.text')}
      >
        <Button onClick={() => location.reload()}>{t('common.crashed.reload')}</Button>
      </NoticeState>
    </main>
  );
}
