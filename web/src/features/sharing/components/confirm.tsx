import { Button, Group, Text } from '@mantine/core';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './links.module.css';

interface Props {
  title: string;
  text: string;
  submitLabel: string;
  danger: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

/** Asks for confirmation below a link, with the focus on the way back. */
export function Confirm({ title, text, submitLabel, danger, onConfirm, onClose }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const cancel = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  // After the menu that it was chosen from has returned the focus.
  useEffect(() => {
    const timer = setTimeout(() => cancel.current?.focus(), 60);
    return () => clearTimeout(timer);
  }, []);
  const confirm = () => {
    setBusy(true);
    void onConfirm().finally(() => setBusy(false));
  };
  return (
    <div
      role="alertdialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-text`}
      className={classes.panel}
    >
      <Text id={`${id}-title`} fw={620}>
        {title}
      </Text>
      <Text id={`${id}-text`} size="sm">
        {text}
      </Text>
      <Group justify="flex-end">
        <Button ref={cancel} variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button
          {...(danger ? { color: 'red' } : {})}
          loading={busy}
          onClick={confirm}
          data-testid="link-confirm"
        >
          {submitLabel}
        </Button>
      </Group>
    </div>
  );
}
