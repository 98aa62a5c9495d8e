import { UnstyledButton } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { clock } from '../model/clock';
import classes from './badge.module.css';

const SHOWN_MS = 9_000;

/** Says that playback was resumed, with a button to start over. */
export function Resumed({ at, onStart }: { at: number; onStart: () => void }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setShown(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <span className={classes.badge} role="status" data-testid="resumed">
      {t('viewer.player.resumed', { at: clock(at) })}
      <UnstyledButton
        className={classes.start}
        onClick={() => {
          setShown(false);
          onStart();
        }}
        data-testid="from-start"
      >
        {t('viewer.player.fromStart')}
      </UnstyledButton>
    </span>
  );
}
