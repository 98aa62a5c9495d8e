import { Button } from '@mantine/core';
import { IconMoodSad } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';

/** What is shown instead of a page that broke. */
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
