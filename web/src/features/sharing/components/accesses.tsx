import { Button, Group, Skeleton, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { FailedState } from '@/components/notice-state';
import { formatMoment } from '@/lib/format';
import { accessesQuery } from '../queries';
import classes from './links.module.css';

/** What visitors of a link did. */
export function Accesses({ linkId, onClose }: { linkId: string; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const query = useInfiniteQuery(accessesQuery(linkId));
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <section
      className={classes.panel}
      aria-label={t('sharing.accesses.title')}
      data-testid="link-access-list"
    >
      <Group justify="space-between">
        <Text fw={620}>{t('sharing.accesses.title')}</Text>
        <Button variant="subtle" size="compact-sm" onClick={onClose}>
          {t('common.close')}
        </Button>
      </Group>
      {query.isPending ? (
        <div role="status" aria-label={t('common.loading')}>
          <Skeleton height={64} radius="md" />
        </div>
      ) : !items ? (
        <FailedState
          icon={<IconUsers size={28} />}
          title={t('sharing.accesses.failed')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : items.length === 0 ? (
        <Text c="dimmed" size="sm">
          {t('sharing.accesses.none')}
        </Text>
      ) : (
        <ul className={classes.accesses}>
          {items.map((access) => (
            <li key={`${access.at} ${access.visitor} ${access.action}`} data-testid="link-access">
              <span>{t(`sharing.accesses.${access.action}`)}</span>
              <span className={classes.dim}>
                {[access.address, t('sharing.accesses.visitor', { name: access.visitor.slice(-6) })]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
              <time dateTime={access.at} className={`${classes.dim} tabular`}>
                {formatMoment(access.at, i18n.language)}
              </time>
            </li>
          ))}
        </ul>
      )}
      {query.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('sharing.accesses.more')}
        </Button>
      )}
    </section>
  );
}
