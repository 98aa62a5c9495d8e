/** Texts for errors, chosen by the problem code alone. */
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { texts } from '@/i18n/en';
import { formatDuration } from '@/lib/format';

const WAIT_SECONDS = 60;
/** For responses of a proxy, and for codes of a newer server. */
const BY_STATUS = {
  403: 'common.error.forbidden',
  404: 'problem.not-found',
  412: 'problem.stale',
  413: 'problem.body-too-large',
  429: 'problem.too-many-attempts',
  503: 'problem.unavailable',
  507: 'problem.storage-full',
} as const;

type KnownCode = keyof typeof texts.problem;

function isKnown(code: string): code is KnownCode {
  return Object.hasOwn(texts.problem, code);
}

/** Returns a function from any error to a sentence for the user. */
export function useErrorText(): (error: unknown) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (error) => {
      if (error instanceof UnreachableError) {
        return t(error.timedOut ? 'common.error.slow' : 'common.error.unreachable');
      }
      if (!(error instanceof ApiProblem)) return t('common.error.unknown');
      const wait = formatDuration(error.retryAfter ?? WAIT_SECONDS, i18n.language);
      if (isKnown(error.code)) return t(`problem.${error.code}`, { wait });
      return t(BY_STATUS[error.status as keyof typeof BY_STATUS] ?? 'common.error.unknown', { wait });
    },
    [t, i18n.language],
  );
}
