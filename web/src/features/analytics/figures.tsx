import { Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Analytics } from '@/api/types';
import { formatBytes } from '@/lib/format';
import classes from './analytics.module.css';
import { Bars } from './bars';

/** The figures of a day. */
export const SHOWN = ['uploads', 'uploadedBytes', 'downloads', 'signIns', 'newUsers', 'activeUsers'] as const;

type Shown = (typeof SHOWN)[number];

/** Charts, and a table of the days with any activity. */
export function Figures({ analytics }: { analytics: Analytics }) {
  const { t, i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language);
  const date = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeZone: 'UTC' });
  const format = (name: Shown) => (value: number) =>
    name === 'uploadedBytes' ? formatBytes(value, i18n.language) : number.format(value);
  const busy = analytics.days.filter((day) => SHOWN.some((name) => (day[name] ?? 0) > 0)).reverse();
  // A user active on two days is one person, so these are not summed.
  const charts = SHOWN.filter((name) => name !== 'activeUsers');
  return (
    <>
      <div className={classes.charts} data-testid="analytics-charts">
        {charts.map((name) => (
          <Bars
            key={name}
            label={t(`admin.analytics.${name}`)}
            values={analytics.days.map((day) => ({ day: day.day, value: day[name] ?? 0 }))}
            format={format(name)}
          />
        ))}
      </div>
      {busy.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by keyboard
        <div className={classes.table} tabIndex={0} role="region" aria-label={t('admin.analytics.byDay')}>
          <Table data-testid="analytics-table">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('admin.analytics.day')}</Table.Th>
                {SHOWN.map((name) => (
                  <Table.Th key={name} ta="right">
                    {t(`admin.analytics.${name}`)}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {busy.map((day) => (
                <Table.Tr key={day.day}>
                  <Table.Th scope="row" fw={520} style={{ whiteSpace: 'nowrap' }}>
                    {date.format(new Date(day.day))}
                  </Table.Th>
                  {SHOWN.map((name) => (
                    <Table.Td key={name} ta="right" className="tabular" style={{ whiteSpace: 'nowrap' }}>
                      {format(name)(day[name] ?? 0)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </>
  );
}
