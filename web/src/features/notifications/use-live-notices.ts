import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { onRealtime } from '@/lib/realtime';
import { onTabs } from '@/lib/tabs';
import { addNotice, NOTICES_READ, noticesQuery } from './queries';
import { isBadNews, useNoticeText } from './use-notice-text';

/** Consecutive toasts before they are summarised in one. */
const SHOWN_SINGLY = 3;
const BURST_MS = 5_000;
const SUM = 'more-notices';

/** Shows notifications as they arrive, and refetches the list after a lost connection. */
export function useLiveNotices(): void {
  const queries = useQueryClient();
  const text = useNoticeText();
  const { t } = useTranslation();
  useEffect(() => {
    let burst = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const toast = (notice: Notice) => {
      burst += 1;
      clearTimeout(timer);
      timer = setTimeout(() => {
        burst = 0;
      }, BURST_MS);
      const bad = isBadNews(notice);
      if (bad || burst <= SHOWN_SINGLY) {
        notifications.show({ id: notice.id, message: text(notice), color: bad ? 'red' : 'pine' });
        return;
      }
      const message = t('notifications.more', { count: burst - SHOWN_SINGLY });
      const sum = { id: SUM, message, autoClose: BURST_MS };
      if (burst === SHOWN_SINGLY + 1) notifications.show(sum);
      else notifications.update(sum);
    };
    const refresh = () => void queries.invalidateQueries({ queryKey: noticesQuery.queryKey });
    const stops = [
      onRealtime('notification', (payload) => {
        const notice = payload as Notice;
        if (!addNotice(queries, notice)) refresh();
        toast(notice);
      }),
      onRealtime('reconnected', refresh),
      onTabs(NOTICES_READ, refresh),
      () => clearTimeout(timer),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, text, t]);
}
