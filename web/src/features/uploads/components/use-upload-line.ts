import { useTranslation } from 'react-i18next';
import { useErrorText } from '@/components/error-text';
import { useConnection } from '@/lib/connection';
import { formatBytes, formatDuration, formatSpeed } from '@/lib/format';
import { normalName } from '@/lib/names';
import { secondsLeft } from '../engine/speed';
import type { UploadItem } from '../engine/types';

/** The second line of a row, and its tone. */
export interface UploadLine {
  text: string;
  tone: 'quiet' | 'warn' | 'bad';
}

/** Returns the state of an upload: amount, speed and time left while it runs, else the reason. */
export function useUploadLine(item: UploadItem): UploadLine {
  const { t, i18n } = useTranslation();
  const errorText = useErrorText();
  const online = useConnection((connection) => connection.online);
  const language = i18n.language;
  const amount = t('uploads.progress', {
    sent: formatBytes(item.sent, language),
    size: formatBytes(item.size, language),
  });
  const quiet = (...parts: (string | null)[]): UploadLine => ({
    text: parts.filter(Boolean).join(' · '),
    tone: 'quiet',
  });
  switch (item.status) {
    case 'error': {
      const { kind = 'refused', error = null } = item.fault ?? {};
      return { text: t(`uploads.fault.${kind}`, { reason: errorText(error) }), tone: 'bad' };
    }
    case 'waiting':
      return {
        text: t(online ? 'uploads.status.waitingServer' : 'uploads.status.waitingNetwork'),
        tone: 'warn',
      };
    case 'interrupted':
      if (item.storeUnavailable) return { text: t('uploads.interrupted.storeUnavailable'), tone: 'warn' };
      return {
        text: `${t(item.readable ? 'uploads.interrupted.oneClick' : 'uploads.interrupted.chooseAgain')} ${amount}`,
        tone: 'warn',
      };
    case 'uploading': {
      const left = secondsLeft(item.size - item.sent, item.speed);
      return quiet(
        amount,
        item.speed > 0 ? formatSpeed(item.speed, language) : null,
        left === null ? null : t('uploads.left', { time: formatDuration(left, language) }),
      );
    }
    case 'done': {
      const renamed = item.storedName !== null && item.storedName !== normalName(item.name);
      return quiet(
        renamed ? t('uploads.renamed', { name: item.storedName ?? '' }) : t('uploads.status.done'),
        formatBytes(item.size, language),
      );
    }
    case 'queued':
      return quiet(t('uploads.status.queued'), formatBytes(item.size, language));
    case 'paused':
      return quiet(t('uploads.status.paused'), amount);
    case 'completing':
      return quiet(t('uploads.status.completing'));
  }
}
