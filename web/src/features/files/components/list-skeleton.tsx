import { Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './item-list.module.css';

const WIDTHS = [46, 62, 38, 55, 30, 49, 41, 58];

/** A placeholder for a list that is loading. */
export function ListSkeleton({ view }: { view: 'list' | 'grid' }) {
  const { t } = useTranslation();
  return (
    <div
      role="status"
      aria-label={t('common.loading')}
      className={view === 'grid' ? classes.skeletonGrid : undefined}
    >
      {WIDTHS.map((width) =>
        view === 'grid' ? (
          <Skeleton key={width} height={182} radius="lg" />
        ) : (
          <div key={width} className={classes.skeletonRow}>
            <Skeleton height={26} width={26} radius="sm" />
            <Skeleton height={13} width={`${width}%`} radius="sm" />
          </div>
        ),
      )}
    </div>
  );
}
