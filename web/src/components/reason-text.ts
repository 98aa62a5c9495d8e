/** Texts for why a file did not become ready, chosen by the reason code alone. */
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { ReasonCode } from '@/api/types';
import { texts } from '@/i18n/en';

function isKnown(code: unknown): code is ReasonCode {
  return typeof code === 'string' && Object.hasOwn(texts.reason, code);
}

/** Returns a function from a reason code to its text; a general one for no code, and for one of a newer server. */
export function useReasonText(): (code: unknown) => string {
  const { t } = useTranslation();
  return useCallback((code) => t(`reason.${isKnown(code) ? code : 'processing-failed'}`), [t]);
}
