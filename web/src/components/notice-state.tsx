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

/** An empty state in place of a list: why it is empty, and what to do. */
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

/** An error state in place of a list: the reason, and a retry button or `children` instead of it. */
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
