import { Button, Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { DeadEvent } from '@/api/types';
import { formatAgo, formatMoment } from '@/lib/format';
import classes from './dead-events.module.css';

interface Props {
  events: DeadEvent[];
  /** The event being redelivered. */
  busyId: string | null;
  onShow: (event: DeadEvent) => void;
  onRedeliver: (event: DeadEvent) => void;
}

/** Dead events as rows; on narrow screens as cards. */
export function DeadEventsTable({ events, busyId, onShow, onRedeliver }: Props) {
  const { t } = useTranslation();
  return (
    <Table className={classes.table} verticalSpacing="sm" data-testid="dead-events">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('admin.dead.type')}</Table.Th>
          <Table.Th>{t('admin.dead.consumer')}</Table.Th>
          <Table.Th>{t('admin.dead.error')}</Table.Th>
          <Table.Th>{t('admin.dead.died')}</Table.Th>
          <Table.Th ta="right">{t('admin.dead.actions')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {events.map((event) => (
          <Row
            key={event.id}
            event={event}
            busy={busyId === event.id}
            onShow={onShow}
            onRedeliver={onRedeliver}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ event, busy, onShow, onRedeliver }: Omit<Props, 'events' | 'busyId'> & RowState) {
  const { t, i18n } = useTranslation();
  const which = `${event.type}, ${event.consumer}`;
  return (
    <Table.Tr data-testid="dead-event" data-event={event.eventId}>
      <Table.Td>
        <span className={classes.type}>{event.type}</span>
      </Table.Td>
      <Table.Td>{event.consumer}</Table.Td>
      <Table.Td>
        <span className={classes.error}>{event.error}</span>
      </Table.Td>
      <Table.Td className={classes.when}>
        <time dateTime={event.diedAt} title={formatMoment(event.diedAt, i18n.language)}>
          {formatAgo(event.diedAt, i18n.language)}
        </time>
      </Table.Td>
      <Table.Td>
        <div className={classes.buttons}>
          <Button
            size="xs"
            variant="default"
            onClick={() => onShow(event)}
            aria-label={`${t('admin.dead.details')}: ${which}`}
            data-testid="dead-event-show"
          >
            {t('admin.dead.details')}
          </Button>
          <Button
            size="xs"
            loading={busy}
            onClick={() => onRedeliver(event)}
            aria-label={`${t('admin.dead.redeliver')}: ${which}`}
            data-testid="dead-event-redeliver"
          >
            {t('admin.dead.redeliver')}
          </Button>
        </div>
      </Table.Td>
    </Table.Tr>
  );
}

interface RowState {
  event: DeadEvent;
  busy: boolean;
}
