/** The API's errors in the reader's words. */
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { formatDuration } from '@/lib/format';

const BY_CODE = {
  'quota-exceeded': 'common.error.quota',
  'storage-full': 'common.error.storageFull',
  'file-damaged': 'common.error.damaged',
  'not-ready': 'common.error.notReady',
  'nothing-to-retry': 'common.error.nothingToRetry',
} as const;
const BY_STATUS = {
  403: 'common.error.forbidden',
  404: 'common.error.missing',
  409: 'common.error.taken',
  412: 'common.error.stale',
  503: 'common.error.unavailable',
  507: 'common.error.storageFull',
} as const;

/** Gives a function from any error to a sentence for the user. */
export function useErrorText(): (error: unknown) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (error) => {
      if (error instanceof UnreachableError) {
        return t(error.timedOut ? 'common.error.slow' : 'common.error.unreachable');
      }
      if (!(error instanceof ApiProblem)) return t('common.error.unknown');
      if (error.status === 429) {
        return t('common.error.tooMany', { wait: formatDuration(error.retryAfter ?? 60, i18n.language) });
      }
      const key =
        BY_CODE[error.code as keyof typeof BY_CODE] ?? BY_STATUS[error.status as keyof typeof BY_STATUS];
      return key ? t(key) : error.detail || t('common.error.unknown');
    },
    [t, i18n.language],
  );
}
