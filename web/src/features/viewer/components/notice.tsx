import { Button, Loader } from '@mantine/core';
import { IconDownload, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './notice.module.css';

interface Props {
  icon?: ReactNode;
  title: string;
  text?: string | undefined;
  alert?: boolean;
  onAgain?: (() => void) | undefined;
  onDownload?: (() => void) | undefined;
  children?: ReactNode;
}

/** An empty state in place of a file: why nothing is shown, and what to do. */
export function Notice({ icon, title, text, alert = false, onAgain, onDownload, children }: Props) {
  const { t } = useTranslation();
  return (
    <div className={classes.notice} role={alert ? 'alert' : undefined} data-testid="viewer-notice">
      {icon && (
        <div className={classes.icon} aria-hidden="true">
          {icon}
        </div>
      )}
      <h3 className={classes.title}>{title}</h3>
      {text && <p className={classes.text}>{text}</p>}
      {children}
      <div className={classes.ways}>
        {onAgain && (
          <Button
            variant="default"
            className={classes.way}
            leftSection={<IconRefresh size={18} />}
            onClick={onAgain}
            data-testid="viewer-again"
          >
            {t('common.retry')}
          </Button>
        )}
        {onDownload && (
          <Button
            className={classes.way}
            leftSection={<IconDownload size={18} />}
            onClick={onDownload}
            data-testid="viewer-notice-download"
          >
            {t('files.action.download')}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A loading indicator that appears after a short delay. */
export function Waiting({ label }: { label: string }) {
  return (
    <div className={classes.waiting} role="status" data-testid="viewer-waiting">
      <Loader color="var(--v-accent)" aria-hidden="true" />
      <span className={classes.said}>{label}</span>
    </div>
  );
}
