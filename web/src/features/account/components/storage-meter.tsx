import { Progress, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { User } from '@/api/types';
import { formatBytes } from '@/lib/format';
import classes from './storage-meter.module.css';

const NEARLY_FULL = 0.9;

interface Props {
  user: Pick<User, 'storageUsed' | 'storageReserved' | 'storageQuota'>;
  testId?: string;
}

/** How much of the quota is used and reserved; warns when little is left. */
export function StorageMeter({ user, testId = 'storage-meter' }: Props) {
  const { t, i18n } = useTranslation();
  const { storageUsed: used, storageReserved: reserved, storageQuota: quota } = user;
  const share = quota > 0 ? (used + reserved) / quota : 1;
  const percent = (bytes: number) => (quota > 0 ? Math.min(100, (bytes / quota) * 100) : 0);
  const tone = share >= 1 ? 'full' : share >= NEARLY_FULL ? 'warn' : 'calm';
  const bytes = (amount: number) => formatBytes(amount, i18n.language);
  const sentence = t('account.storage.used', { used: bytes(used), quota: bytes(quota) });
  return (
    <div
      role="group"
      className={classes.meter}
      data-testid={testId}
      data-tone={tone}
      data-used={used}
      data-reserved={reserved}
      data-quota={quota}
      aria-label={t('account.storage.title')}
    >
      <div className={classes.head}>
        <Text size="sm" fw={600}>
          {t('account.storage.title')}
        </Text>
        {tone !== 'calm' && (
          <span className={classes.warning} role="status">
            <IconAlertTriangle size={15} aria-hidden="true" />
            {t(tone === 'full' ? 'account.storage.full' : 'account.storage.nearlyFull')}
          </span>
        )}
      </div>
      <Progress.Root size={8} radius="xl" aria-hidden="true">
        <Progress.Section
          value={percent(used)}
          color={tone === 'full' ? 'red.7' : tone === 'warn' ? 'yellow.6' : 'var(--ms-accent)'}
        />
        <Progress.Section value={percent(reserved)} color="pine.3" striped />
      </Progress.Root>
      <Text size="xs" c="dimmed" className="tabular" mt={6}>
        {sentence}
      </Text>
      {reserved > 0 && (
        <Text size="xs" c="dimmed" className="tabular">
          {t('account.storage.reserved', { reserved: bytes(reserved) })}
        </Text>
      )}
    </div>
  );
}
