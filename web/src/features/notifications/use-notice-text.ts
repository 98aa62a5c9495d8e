import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { useReasonText } from '@/components/reason-text';

const KNOWN = [
  'file.ready',
  'file.failed',
  'file.damaged',
  'file.recovered',
  'file.approved',
  'file.rejected',
] as const;

/** The types that tell of something bad. */
const BAD = ['file.failed', 'file.damaged', 'file.rejected'];

/** Whether a notification tells of something bad. */
export function isBadNews({ type }: Pick<Notice, 'type'>): boolean {
  return BAD.includes(type);
}

/** Gives a function from a notification to its sentence, made of type and payload; else the server's own. */
export function useNoticeText(): (notice: Pick<Notice, 'type' | 'payload' | 'message'>) => string {
  const { t } = useTranslation();
  const reasonText = useReasonText();
  return useCallback(
    ({ type, payload, message }) => {
      const known = KNOWN.find((one) => one === type);
      const name = payload?.name ?? payload?.fileName;
      if (!known || typeof name !== 'string') return message;
      const reason = payload?.reason;
      if (known === 'file.failed' && typeof reason === 'string' && reason) {
        return t('notifications.type.file.failedWhy', { name, reason: reasonText(reason) });
      }
      return t(`notifications.type.${known}`, { name });
    },
    [t, reasonText],
  );
}
