import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Notice } from '@/api/types';
import { onRealtime } from '@/lib/realtime';
import { addNotice, noticesQuery } from './queries';
import { useNoticeText } from './use-notice-text';

/** Shows a notification the moment it comes, and reads the list again after a time without a line. */
export function useLiveNotices(): void {
  const queries = useQueryClient();
  const text = useNoticeText();
  useEffect(() => {
    const refresh = () => void queries.invalidateQueries({ queryKey: noticesQuery.queryKey });
    const stops = [
      onRealtime('notification', (payload) => {
        const notice = payload as Notice;
        if (!addNotice(queries, notice)) refresh();
        const bad = notice.type === 'file.failed' || notice.type === 'file.rejected';
        notifications.show({ id: notice.id, message: text(notice), color: bad ? 'red' : 'pine' });
      }),
      onRealtime('reconnected', refresh),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries, text]);
}
