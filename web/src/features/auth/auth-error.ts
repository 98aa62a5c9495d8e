/** What sign-in and registration can be refused for, in words. */
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '@/api/problem';
import { useErrorText } from '@/components/error-text';
import { formatDuration } from '@/lib/format';

/** Gives a function from an error of signing in or up to a sentence. */
export function useAuthErrorText(): (error: unknown) => string {
  const { t, i18n } = useTranslation();
  const errorText = useErrorText();
  return (error) => {
    if (!(error instanceof ApiProblem)) return errorText(error);
    if (error.status === 401) return t('auth.error.credentials');
    if (error.status === 429) {
      return t('auth.error.tooMany', { wait: formatDuration(error.retryAfter ?? 60, i18n.language) });
    }
    if (error.status === 409) return t('auth.error.taken');
    if (error.status !== 403) return errorText(error);
    return t(error.code.includes('registration') ? 'auth.error.closed' : 'auth.error.suspended');
  };
}
