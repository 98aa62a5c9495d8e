import { Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDeviceDesktop, IconDeviceMobile, IconDevices } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, dataOf } from '@/api/client';
import type { Session } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { FailedState } from '@/components/notice-state';
import { formatAgo } from '@/lib/format';
import { deviceOf } from '../device';
import classes from './settings.module.css';

const KEY = ['sessions'];

/** The signed-in devices, with a button to sign each out. */
export function Sessions() {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: KEY,
    queryFn: async () =>
      (await dataOf(api.GET('/api/v1/auth/sessions', { params: { query: { limit: 200 } } }))).items,
  });
  if (query.isPending) return <Skeleton height={120} radius="md" />;
  if (query.isError) {
    return (
      <FailedState
        icon={<IconDevices size={32} />}
        title={t('account.sessions.failed')}
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  return (
    <Stack gap={0} component="ul" className={classes.sessions}>
      {query.data.map((session) => (
        <SessionRow key={session.id} session={session} />
      ))}
    </Stack>
  );
}

function SessionRow({ session }: { session: Session }) {
  const { t, i18n } = useTranslation();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      dataOf(
        api.DELETE('/api/v1/auth/sessions/{session_id}', { params: { path: { session_id: session.id } } }),
      ),
    onSuccess: () => notifications.show({ message: t('account.sessions.revoked') }),
    onError: (error) => notifications.show({ color: 'red', message: errorText(error) }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const { browser, system } = deviceOf(session.userAgent);
  const name =
    browser && system
      ? t('account.sessions.on', { browser, system })
      : (browser ?? system ?? t('account.sessions.unknown'));
  const Icon = system === 'iOS' || system === 'Android' ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <li className={classes.session} data-testid="session-row" data-current={session.current || undefined}>
      <Icon size={26} stroke={1.5} aria-hidden="true" />
      <div className={classes.device}>
        <Group gap="xs">
          <Text fw={560}>{name}</Text>
          {session.current && (
            <Badge variant="light" size="sm" tt="none">
              {t('account.sessions.current')}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {[
            session.address,
            t('account.sessions.active', { when: formatAgo(session.refreshedAt, i18n.language) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      {!session.current && (
        <Button
          variant="default"
          size="xs"
          loading={revoke.isPending}
          onClick={() => revoke.mutate()}
          aria-label={t('account.sessions.revokeOf', { device: name })}
          data-testid="session-revoke"
        >
          {t('account.sessions.revoke')}
        </Button>
      )}
    </li>
  );
}
