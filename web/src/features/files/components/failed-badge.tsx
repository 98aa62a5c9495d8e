import { Button, Popover, Text, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { useFileActions } from '../use-file-actions';
import classes from './status-badge.module.css';

/** Says that a file's processing failed; opened, why, with a way to try again. */
export function FailedBadge({ file }: { file: FileItem }) {
  const { t } = useTranslation();
  const { retry } = useFileActions();
  const [opened, setOpened] = useState(false);
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    await retry([file]);
    setBusy(false);
    setOpened(false);
  };
  return (
    // What happens in here is not meant for the row around it.
    <span
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => event.key !== 'Escape' && event.stopPropagation()}
    >
      <Popover
        opened={opened}
        onChange={setOpened}
        width={280}
        position="bottom-start"
        shadow="md"
        trapFocus
        withinPortal
      >
        <Popover.Target>
          <UnstyledButton
            className={classes.failed}
            onClick={() => setOpened(!opened)}
            aria-label={t('files.processing.why', { name: file.name })}
            data-testid="status-badge"
          >
            <IconAlertTriangle size={14} aria-hidden="true" />
            {t('files.status.FAILED')}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown data-testid="failure" aria-label={t('files.processing.why', { name: file.name })}>
          <Text size="sm" fw={600}>
            {t('files.processing.failed')}
          </Text>
          <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere' }} data-testid="failure-reason">
            {file.processing?.error || t('files.processing.unknown')}
          </Text>
          {file.processing?.retryable && (
            <Button
              mt="sm"
              size="xs"
              leftSection={<IconRefresh size={16} />}
              loading={busy}
              onClick={() => void again()}
              data-testid="retry"
            >
              {t('files.action.retry')}
            </Button>
          )}
        </Popover.Dropdown>
      </Popover>
    </span>
  );
}
