import { Button, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useErrorText } from './error-text';
import classes from './notice-state.module.css';

interface Props {
  icon: ReactNode;
  title: string;
  text?: string;
  children?: ReactNode;
}

/** What stands in a list's place when there is nothing to list: why, and what to do about it. */
export function NoticeState({ icon, title, text, children }: Props) {
  return (
    <Stack className={classes.root} align="center" gap="xs">
      <div className={classes.icon} aria-hidden>
        {icon}
      </div>
      <Title order={2} size="h4" ta="center">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" ta="center" maw={380}>
          {text}
        </Text>
      )}
      {children}
    </Stack>
  );
}

/** A list that could not be loaded, with the reason and a way to try again, or another way out as `children`. */
export function FailedState({
  children,
  icon,
  title,
  error,
  onRetry,
}: Omit<Props, 'text'> & { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  return (
    <div role="alert">
      <NoticeState icon={icon} title={title} text={errorText(error)}>
        {children ?? (
          <Button variant="light" onClick={onRetry} data-testid="retry">
            {t('common.retry')}
          </Button>
        )}
      </NoticeState>
    </div>
  );
}
