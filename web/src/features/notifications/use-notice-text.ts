import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';
import { useReasonText } from '@/components/reason-text';
import { texts } from '@/i18n/en';

type NoticeType = keyof typeof texts.notice;

function isKnown(type: string): type is NoticeType {
  return Object.hasOwn(texts.notice, type);
}

/** The types of bad news. */
const BAD = ['file.failed', 'file.damaged'];

/** Whether a notification is bad news. */
export function isBadNews({ type }: Pick<Notice, 'type'>): boolean {
  return BAD.includes(type);
}

/** Returns a function from a notification to its text; for a type of a newer server, the server's own message. */
export function useNoticeText(): (notice: Pick<Notice, 'type' | 'payload' | 'message'>) => string {
  const { t } = useTranslation();
  const reasonText = useReasonText();
  return useCallback(
    ({ type, payload, message }) => {
      const name = payload?.name;
      if (!isKnown(type) || typeof name !== 'string') return message;
      const text = t(`notice.${type}`, { name, accessCount: String(payload?.accessCount ?? '') });
      if (type !== 'file.failed' || !payload?.reasonCode) return text;
      return t('notifications.because', { text, reason: reasonText(payload.reasonCode) });
    },
    [t, reasonText],
  );
}
