import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Preview } from '@/api/types';
import { formatBytes, formatMoment } from '@/lib/format';
import { clock } from '../model/clock';
import { useViewerSource } from '../source';
import classes from './details.module.css';
import { IconButton } from './icon-button';

interface Props {
  file: FileItem;
  preview: Preview | null;
  onClose: () => void;
}

/** The details of a file. */
export function Details({ file, preview, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const { root } = useViewerSource();
  const folders = file.path.split('/').slice(1, -1);
  const { width, height, durationMs } = preview ?? {};
  const fields: [string, string | null | undefined][] = [
    [t('viewer.detail.name'), file.name],
    [t('viewer.detail.type'), file.mimeType],
    [t('viewer.detail.size'), formatBytes(file.size, i18n.language)],
    [t('viewer.detail.pixels'), width && height ? t('viewer.detail.pixelsValue', { width, height }) : null],
    [t('viewer.detail.duration'), durationMs ? clock(durationMs / 1000) : null],
    [t('viewer.detail.folder'), [root, ...folders].join(' › ')],
    [t('viewer.detail.created'), formatMoment(file.createdAt, i18n.language)],
    [t('viewer.detail.modified'), formatMoment(file.updatedAt, i18n.language)],
    [t('viewer.detail.checksum'), file.checksum],
  ];
  return (
    <aside className={classes.panel} aria-label={t('viewer.details')} data-testid="viewer-details-panel">
      <div className={classes.head}>
        <h3 className={classes.title}>{t('viewer.details')}</h3>
        <IconButton icon={IconX} label={t('common.close')} onClick={onClose} />
      </div>
      <dl className={classes.fields}>
        {fields.map(
          ([label, value]) =>
            value && (
              <div key={label}>
                <dt className={classes.label}>{label}</dt>
                <dd className={classes.value}>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </aside>
  );
}
