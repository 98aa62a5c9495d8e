import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import classes from './links.module.css';

/** A QR code of a text; the encoder is loaded when first needed. */
export function QrCode({ text }: { text: string }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ['qr', text],
    queryFn: async () => (await import('../qr-picture')).qrPicture(text),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <div className={classes.qr}>
      {query.data ? (
        <img src={query.data} alt={t('sharing.qr.alt')} className={classes.code} data-testid="qr-code" />
      ) : query.isError ? (
        <p role="alert">{t('common.error.unknown')}</p>
      ) : (
        <Loader aria-label={t('common.loading')} />
      )}
    </div>
  );
}
