import { NativeSelect, Skeleton, Text, Title } from '@mantine/core';
import { IconChartBarOff } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FailedState } from '@/components/notice-state';
import classes from './analytics.module.css';
import { Figures, SHOWN } from './figures';
import { analyticsQuery } from './queries';

const PERIODS = [7, 30, 90];

/** The daily figures of a period. */
export function AnalyticsPage() {
  const { t } = useTranslation();
  const [days, setDays] = useState(30);
  const query = useQuery({ ...analyticsQuery(days), placeholderData: keepPreviousData });
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <div>
          <Title order={1} size="h2">
            {t('admin.analytics.title')}
          </Title>
          <Text c="dimmed">{t('admin.analytics.text')}</Text>
        </div>
        <NativeSelect
          aria-label={t('admin.analytics.period')}
          value={String(days)}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={PERIODS.map((count) => ({
            value: String(count),
            label: t('admin.analytics.lastDays', { count }),
          }))}
          data-testid="analytics-period"
        />
      </div>
      {query.isPending ? (
        <div className={classes.charts} role="status" aria-label={t('common.loading')}>
          {SHOWN.map((name) => (
            <Skeleton key={name} height={142} radius="lg" />
          ))}
        </div>
      ) : query.isError && !query.data ? (
        <FailedState
          icon={<IconChartBarOff size={34} />}
          title={t('admin.analytics.failed')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : (
        query.data && <Figures analytics={query.data} />
      )}
    </div>
  );
}
