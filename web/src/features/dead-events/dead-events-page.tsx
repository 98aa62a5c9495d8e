import { Button, Skeleton, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconMailOff, IconRefresh, IconShieldCheck } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import type { DeadEvent } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { FailedState, NoticeState } from '@/components/notice-state';
import classes from './dead-events.module.css';
import { DeadEventsTable } from './dead-events-table';
import { EventDetails } from './event-details';
import { deadEventsQuery, useRedeliver } from './queries';

/** The dead letters, with their errors and a button to redeliver each. */
export function DeadEventsPage() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const query = useInfiniteQuery(deadEventsQuery);
  const redeliver = useRedeliver();
  const [shown, setShown] = useState<DeadEvent | null>(null);
  const events = query.data?.pages.flatMap((page) => page.items) ?? [];
  const again = async (event: DeadEvent) => {
    try {
      await redeliver.mutateAsync(event.id);
      notifications.show({ message: t('admin.dead.redelivered', { type: event.type }) });
    } catch (error) {
      // Another administrator has already redelivered it.
      const gone = isProblem(error, 404);
      notifications.show(
        gone ? { message: t('admin.dead.gone') } : { color: 'red', message: errorText(error) },
      );
    }
    setShown(null);
  };
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <div>
          <Title order={1} size="h2">
            {t('admin.dead.title')}
          </Title>
          <Text c="dimmed" maw={640}>
            {t('admin.dead.text')}
          </Text>
        </div>
        <Button
          variant="default"
          leftSection={<IconRefresh size={18} />}
          loading={query.isRefetching}
          onClick={() => void query.refetch()}
        >
          {t('admin.refresh')}
        </Button>
      </div>
      {query.isPending ? (
        <Stack gap="sm" aria-label={t('common.loading')} role="status">
          {['a', 'b', 'c', 'd'].map((key) => (
            <Skeleton key={key} height={48} />
          ))}
        </Stack>
      ) : query.isError && !query.data ? (
        <FailedState
          icon={<IconMailOff size={34} />}
          title={t('admin.dead.failed')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : events.length === 0 ? (
        <NoticeState
          icon={<IconShieldCheck size={34} />}
          title={t('admin.dead.empty')}
          text={t('admin.dead.emptyText')}
        />
      ) : (
        <DeadEventsTable
          events={events}
          busyId={redeliver.isPending ? redeliver.variables : null}
          onShow={setShown}
          onRedeliver={(event) => void again(event)}
        />
      )}
      {query.hasNextPage && (
        <Button
          variant="subtle"
          mt="md"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('admin.more')}
        </Button>
      )}
      <EventDetails
        event={shown}
        busy={redeliver.isPending}
        onRedeliver={(event) => void again(event)}
        onClose={() => setShown(null)}
      />
    </div>
  );
}
