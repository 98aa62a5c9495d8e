import { Button, Group, Modal, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { DeadEvent } from '@/api/types';
import { formatMoment } from '@/lib/format';
import classes from './dead-events.module.css';

interface Props {
  event: DeadEvent | null;
  busy: boolean;
  onRedeliver: (event: DeadEvent) => void;
  onClose: () => void;
}

/** The details of a dead letter. */
export function EventDetails({ event, busy, onRedeliver, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened={event !== null} onClose={onClose} size="lg" title={t('admin.dead.details')}>
      {event && (
        <div data-testid="dead-event-details">
          <Fields event={event} />
          <Block label={t('admin.dead.error')} text={event.error} />
          <Block label={t('admin.dead.payload')} text={JSON.stringify(event.payload, null, 2)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('common.close')}
            </Button>
            <Button
              leftSection={<IconRefresh size={18} />}
              loading={busy}
              onClick={() => onRedeliver(event)}
              data-testid="details-redeliver"
            >
              {t('admin.dead.redeliver')}
            </Button>
          </Group>
        </div>
      )}
    </Modal>
  );
}

function Fields({ event }: { event: DeadEvent }) {
  const { t, i18n } = useTranslation();
  const fields = [
    [t('admin.dead.type'), event.type],
    [t('admin.dead.consumer'), event.consumer],
    [t('admin.dead.about'), event.aggregate],
    [t('admin.dead.attempts'), new Intl.NumberFormat(i18n.language).format(event.attempts)],
    [t('admin.dead.occurred'), formatMoment(event.occurredAt, i18n.language)],
    [t('admin.dead.died'), formatMoment(event.diedAt, i18n.language)],
    [t('admin.dead.eventId'), event.eventId],
  ];
  return (
    <dl className={classes.fields}>
      {fields.map(([term, value]) => (
        <div key={term} style={{ display: 'contents' }}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Block({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by keyboard */}
      <pre className={classes.payload} tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </>
  );
}
