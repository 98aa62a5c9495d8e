import { Button, Group, Loader, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useIntersection } from '@mantine/hooks';
import { IconBell, IconBellOff } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { FailedState, NoticeState } from '@/components/notice-state';
import { noticesQuery, useMarkRead } from '../queries';
import classes from './bell.module.css';
import { NoticeItem } from './notice-item';

/** All notifications, loaded while scrolling. */
export function NoticeList({ titled = true }: { titled?: boolean }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(noticesQuery);
  const mark = useMarkRead();
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const unread = query.data?.pages[0]?.unreadCount ?? 0;
  const read = (notice: Notice) => {
    if (!notice.readAt) mark.mutate(notice.id);
  };
  return (
    <div data-testid="notification-list" tabIndex={-1} data-autofocus style={{ outline: 'none' }}>
      <Group justify="space-between" px="md" py="xs" wrap="nowrap" className={classes.head}>
        {titled ? (
          <Title order={2} size="h5">
            {t('notifications.title')}
          </Title>
        ) : (
          <span />
        )}
        <Button
          variant="subtle"
          size="compact-sm"
          disabled={unread === 0}
          onClick={() => mark.mutate(null)}
          data-testid="mark-all-read"
        >
          {t('notifications.markAll')}
        </Button>
      </Group>
      {query.isPending ? (
        <Stack p="md" gap="sm" role="status" aria-label={t('common.loading')}>
          <Skeleton height={40} />
          <Skeleton height={40} />
          <Skeleton height={40} />
        </Stack>
      ) : query.isError && !query.data ? (
        <FailedState
          icon={<IconBellOff size={32} />}
          title={t('notifications.failed')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : items.length === 0 ? (
        <NoticeState
          icon={<IconBell size={32} />}
          title={t('notifications.empty')}
          text={t('notifications.emptyText')}
        />
      ) : (
        <ul className={classes.list}>
          {items.map((notice) => (
            <NoticeItem key={notice.id} notice={notice} onRead={read} />
          ))}
          {query.hasNextPage && (
            <NextPage busy={query.isFetchingNextPage} load={() => void query.fetchNextPage()} />
          )}
        </ul>
      )}
    </div>
  );
}

/** Loads the next page when it comes into view. */
function NextPage({ busy, load }: { busy: boolean; load: () => void }) {
  const { t } = useTranslation();
  const { ref, entry } = useIntersection();
  const seen = entry?.isIntersecting ?? false;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` changes with every render
  useEffect(() => {
    if (seen && !busy) load();
  }, [seen, busy]);
  return (
    <li ref={ref} className={classes.next}>
      <Loader size="xs" />
      <Text size="sm">{t('common.loadingMore')}</Text>
    </li>
  );
}
