import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Notice } from '@/api/types';

const KNOWN = ['file.ready', 'file.failed', 'file.approved', 'file.rejected'] as const;

/** Gives a function from a notification to its sentence, made of type and payload; else the server's own. */
export function useNoticeText(): (notice: Pick<Notice, 'type' | 'payload' | 'message'>) => string {
  const { t } = useTranslation();
  return useCallback(
    ({ type, payload, message }) => {
      const known = KNOWN.find((one) => one === type);
      const name = payload?.name ?? payload?.fileName;
      return known && typeof name === 'string' ? t(`notifications.type.${known}`, { name }) : message;
    },
    [t],
  );
}
