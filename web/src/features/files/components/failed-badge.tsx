import { Button, Popover, Text, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconFileBroken, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { isDamaged } from '@/components/damage';
import { useReasonText } from '@/components/reason-text';
import { useFileActions } from '../use-file-actions';
import classes from './status-badge.module.css';

/** A badge for a failed or damaged file; opens the reason and what to do. */
export function FailedBadge({ file }: { file: FileItem }) {
  const { t } = useTranslation();
  const { retry } = useFileActions();
  const [opened, setOpened] = useState(false);
  const [busy, setBusy] = useState(false);
  const damaged = isDamaged(file);
  const Icon = damaged ? IconFileBroken : IconAlertTriangle;
  // The focus moves into the popover: to its button, or to its title.
  const focused = file.processing?.retryable ? {} : { tabIndex: -1, 'data-autofocus': true };
  const again = async () => {
    setBusy(true);
    await retry([file]);
    setBusy(false);
    setOpened(false);
  };
  return (
    // Events inside are not meant for the row.
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
            <Icon size={14} aria-hidden="true" />
            {t(damaged ? 'files.status.damaged' : 'files.status.FAILED')}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown data-testid="failure" aria-label={t('files.processing.why', { name: file.name })}>
          <Text size="sm" fw={600} className={classes.title} {...focused}>
            {t(damaged ? 'files.processing.damaged' : 'files.processing.failed')}
          </Text>
          <FailureReason file={file} damaged={damaged} />
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

/** The reason, and what it means for the file's bytes. */
function FailureReason({ file, damaged }: { file: FileItem; damaged: boolean }) {
  const { t } = useTranslation();
  const reasonText = useReasonText();
  const finding = damaged && file.processing?.error;
  return (
    <>
      <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere' }} data-testid="failure-reason">
        {damaged ? t('problem.file-damaged') : reasonText(file.processing?.reasonCode)}
      </Text>
      {!damaged && (
        <Text size="sm" mt={4}>
          {t('files.processing.safe')}
        </Text>
      )}
      {finding && (
        <Text size="xs" mt={6} c="dimmed" style={{ overflowWrap: 'anywhere' }} data-testid="damage">
          {t('files.processing.finding', { finding })}
        </Text>
      )}
    </>
  );
}
