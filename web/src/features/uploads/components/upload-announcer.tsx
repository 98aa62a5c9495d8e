import { VisuallyHidden } from '@mantine/core';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { formatPercent } from '@/lib/format';
import { useTotals } from '../uploads';

/** Announces progress in quarters, the end, and errors to screen readers. */
export function UploadAnnouncer() {
  const { t, i18n } = useTranslation();
  const totals = useTotals();
  const busy = totals.active > 0;
  const wasBusy = useRef(false);
  if (busy) wasBusy.current = true;
  const quarter = Math.floor(totals.share * 4);
  const parts = [
    totals.failed > 0 ? t('uploads.title.failed', { count: totals.failed }) : null,
    busy && totals.waiting ? t('uploads.title.waiting') : null,
    busy && quarter > 0 && quarter < 4
      ? t('uploads.milestone', { percent: formatPercent(quarter / 4, i18n.language) })
      : null,
    !busy && wasBusy.current && totals.done > 0 && totals.failed === 0 ? t('uploads.allDone') : null,
  ];
  return (
    <VisuallyHidden role="status" aria-live="polite" data-testid="upload-announcer">
      {parts.filter(Boolean).join('. ')}
    </VisuallyHidden>
  );
}
