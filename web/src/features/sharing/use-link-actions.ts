import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { NewShareLink, ShareLink, ShareLinkChanges } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { copyText } from '@/lib/clipboard';
import * as calls from './queries';

/** Returns the actions on links, which also show toasts and refetch the lists; they throw the server's errors. */
export function useLinkActions() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const queries = useQueryClient();
  return useMemo(() => {
    const done = async <T>(call: Promise<T>, message: string): Promise<T> => {
      try {
        const result = await call;
        notifications.show({ message });
        return result;
      } finally {
        await calls.refreshLinks(queries);
      }
    };
    const report = (error: unknown) =>
      void notifications.show({ color: 'red', message: errorText(error), autoClose: 8000 });
    return {
      create: (resourceId: string, values: Omit<NewShareLink, 'resourceId'>) =>
        done(calls.createLink({ ...values, resourceId }), t('sharing.created')),
      change: ({ id }: ShareLink, values: ShareLinkChanges) =>
        done(calls.changeLink(id, values), t('sharing.changed')),
      rotate: ({ id }: ShareLink) => done(calls.rotateLink(id), t('sharing.rotate.done')).catch(report),
      revoke: ({ id }: ShareLink) => done(calls.revokeLink(id), t('sharing.revoke.done')).catch(report),
      copy: async ({ url }: ShareLink) => {
        const copied = await copyText(url);
        notifications.show(
          copied ? { message: t('sharing.copied') } : { color: 'red', message: t('sharing.copyFailed') },
        );
      },
    };
  }, [t, errorText, queries]);
}
