import { Button, Skeleton } from '@mantine/core';
import { IconLinkOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { FailedState } from '@/components/notice-state';
import type { Links } from '../use-links';
import { LinkCard } from './link-card';
import classes from './links.module.css';

interface Props {
  links: Links;
  /** Whether to show to what each link leads. */
  named?: boolean;
}

/** Links with their actions. */
export function LinkList({ links, named = false }: Props) {
  const { t } = useTranslation();
  const { items, error, retry, more, loadingMore } = links;
  if (!items && error) {
    return (
      <FailedState
        icon={<IconLinkOff size={32} />}
        title={t('sharing.failed')}
        error={error}
        onRetry={retry}
      />
    );
  }
  if (!items) {
    return (
      <div role="status" aria-label={t('common.loading')}>
        <Skeleton height={132} radius="lg" />
      </div>
    );
  }
  return (
    <>
      <ul className={classes.list} aria-label={t('sharing.links')}>
        {items.map((link) => (
          <LinkCard key={link.id} link={link} named={named} />
        ))}
      </ul>
      {more && (
        <Button variant="default" onClick={more} loading={loadingMore} data-testid="links-more">
          {t('sharing.more')}
        </Button>
      )}
    </>
  );
}
