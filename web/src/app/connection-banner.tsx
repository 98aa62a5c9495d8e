import { IconPlugConnectedX, IconWifiOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { reportReachable, trackOnlineState, useConnection } from '@/lib/connection';
import classes from './connection-banner.module.css';

const PROBE_MS = 2_000;

/** A banner for a lost network or server; polls for its return, then refetches everything. */
export function ConnectionBanner() {
  const { t } = useTranslation();
  const { online, reachable } = useConnection();
  const queries = useQueryClient();
  useEffect(trackOnlineState, []);
  useEffect(() => {
    if (reachable) return;
    const timer = setInterval(async () => {
      const reached = await fetch('/healthz', {
        cache: 'no-store',
        signal: AbortSignal.timeout(PROBE_MS),
      }).then(
        (response) => response.ok,
        () => false,
      );
      if (!reached) return;
      reportReachable();
      void queries.invalidateQueries();
    }, PROBE_MS);
    return () => clearInterval(timer);
  }, [reachable, queries]);
  const down = !online || !reachable;
  const Icon = online ? IconPlugConnectedX : IconWifiOff;
  return (
    <div role="status" aria-live="polite">
      {down && (
        <div className={classes.banner} data-testid="connection-banner">
          <Icon size={18} aria-hidden="true" />
          {t(online ? 'common.unreachable' : 'common.offline')}
        </div>
      )}
    </div>
  );
}
