import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import {
  IconArrowsSort,
  IconCheck,
  IconLayoutGrid,
  IconList,
  IconSortAscending,
  IconSortDescending,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type SortKey, setView, sortBy, usePreferences } from '../model/preferences';

const KEYS: SortKey[] = ['name', 'size', 'updatedAt'];

/** The controls for sorting, and for rows or tiles. */
export function ViewControls() {
  const { t } = useTranslation();
  const { view, sort, order } = usePreferences();
  const other = view === 'list' ? 'grid' : 'list';
  return (
    <>
      <Menu position="bottom-end" width={200} closeOnItemClick={false}>
        <Menu.Target>
          <ActionIcon size={36} aria-label={t('files.sort.label')} data-testid="sort">
            <IconArrowsSort size={19} stroke={1.8} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('files.sort.label')}</Menu.Label>
          {KEYS.map((key) => (
            <Menu.Item
              key={key}
              onClick={() => key !== sort && sortBy(key)}
              leftSection={<IconCheck size={16} opacity={key === sort ? 1 : 0} />}
              aria-current={key === sort || undefined}
              data-testid={`sort-${key}`}
            >
              {t(`files.sort.${key}`)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            onClick={() => sortBy(sort)}
            leftSection={order === 'asc' ? <IconSortAscending size={18} /> : <IconSortDescending size={18} />}
            data-testid="sort-order"
          >
            {t(order === 'asc' ? 'files.sort.ascending' : 'files.sort.descending')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Tooltip label={t(`files.view.${other}`)}>
        <ActionIcon
          size={36}
          onClick={() => setView(other)}
          aria-label={`${t('files.view.label')}: ${t(`files.view.${other}`)}`}
          data-testid={`view-${other}`}
        >
          {view === 'list' ? <IconLayoutGrid size={19} stroke={1.8} /> : <IconList size={19} stroke={1.8} />}
        </ActionIcon>
      </Tooltip>
    </>
  );
}
