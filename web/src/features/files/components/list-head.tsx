import { UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type SortKey, sortBy, usePreferences } from '../model/preferences';
import classes from './item-list.module.css';

/** The column headers, which sort the list where that is possible. */
export function ListHead({ sortable }: { sortable: boolean }) {
  const { t } = useTranslation();
  return (
    <div role="row" aria-rowindex={1} className={classes.head}>
      <span role="columnheader">
        <VisuallyHidden>{t('files.columns.select')}</VisuallyHidden>
      </span>
      <HeadCell
        sort="name"
        sortable={sortable}
        label={t('files.columns.name')}
        className={classes.headName}
      />
      <HeadCell
        sort="size"
        sortable={sortable}
        label={t('files.columns.size')}
        className={classes.sizeCell}
      />
      <HeadCell
        sort="updatedAt"
        sortable={sortable}
        label={t('files.columns.modified')}
        className={classes.dateCell}
      />
      <span role="columnheader" className={classes.moreCell}>
        <VisuallyHidden>{t('files.columns.actions')}</VisuallyHidden>
      </span>
    </div>
  );
}

interface CellProps {
  sort: SortKey;
  sortable: boolean;
  label: string;
  className?: string | undefined;
}

function HeadCell({ sort, sortable, label, className }: CellProps) {
  const preferences = usePreferences();
  const active = sortable && preferences.sort === sort;
  const Arrow = preferences.order === 'asc' ? IconArrowUp : IconArrowDown;
  return (
    <span
      role="columnheader"
      className={className}
      aria-sort={active ? (preferences.order === 'asc' ? 'ascending' : 'descending') : undefined}
    >
      {sortable ? (
        <UnstyledButton
          className={classes.headButton}
          onClick={() => sortBy(sort)}
          data-testid={`head-${sort}`}
        >
          {label}
          {active && <Arrow size={15} aria-hidden="true" />}
        </UnstyledButton>
      ) : (
        label
      )}
    </span>
  );
}
