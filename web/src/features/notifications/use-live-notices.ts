import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { onRealtime } from '@/lib/realtime';
import { onTabs } from '@/lib/tabs';
import { addNotices, NOTICES_READ, noticesQuery } from './queries';
import { isBadNews, useNoticeText } from './use-notice-text';

/** Notifications that arrive within this time are shown together: a folder of small files brings thousands. */
const GATHER_MS = 200;
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
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const toast = (arrived: Notice[]) => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        burst = 0;
      }, BURST_MS);
      const before = burst;
      for (const notice of arrived) {
        burst += 1;
        const bad = isBadNews(notice);
        if (bad || burst <= SHOWN_SINGLY)
          notifications.show({ id: notice.id, message: text(notice), color: bad ? 'red' : 'pine' });
      }
      if (burst <= SHOWN_SINGLY) return;
      const message = t('notifications.more', { count: burst - SHOWN_SINGLY });
      const sum = { id: SUM, message, autoClose: BURST_MS };
      if (before <= SHOWN_SINGLY) notifications.show(sum);
      else notifications.update(sum);
    };
    let gathered: Notice[] = [];
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => void queries.invalidateQueries({ queryKey: noticesQuery.queryKey });
    const showGathered = () => {
      const arrived = gathered;
      gathered = [];
      gathering = undefined;
      if (!addNotices(queries, arrived.toReversed())) refresh();
      toast(arrived);
    };
    const stops = [
      onRealtime('notification', (payload) => {
        gathered.push(payload as Notice);
        gathering ??= setTimeout(showGathered, GATHER_MS);
      }),
      onRealtime('reconnected', refresh),
      onTabs(NOTICES_READ, refresh),
      () => clearTimeout(gathering),
      () => clearTimeout(quiet),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, text, t]);
}
