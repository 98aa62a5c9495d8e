import {
  IconArrowLeft,
  IconChevronLeft,
  IconChevronRight,
  IconDownload,
  IconInfoCircle,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import type { Place } from '../model/neighbours';
import { useViewerSource } from '../source';
import classes from './bar.module.css';
import { IconButton } from './icon-button';

interface Props {
  file: FileItem | null;
  place: Place;
  details: boolean;
  onDetails: () => void;
  onShow: (file: FileItem | null) => void;
  onClose: () => void;
}

/** The viewer's top bar: name, neighbours and actions. */
export function Bar({ file, place, details, onDetails, onShow, onClose }: Props) {
  const { t } = useTranslation();
  const { download } = useViewerSource();
  return (
    <header className={classes.bar}>
      <IconButton icon={IconArrowLeft} label={t('viewer.close')} onClick={onClose} testId="viewer-close" />
      <div className={classes.title}>
        {file && (
          <span className={classes.glyph}>
            <FileGlyph name={file.name} mimeType={file.mimeType} size={22} />
          </span>
        )}
        <h2 className={classes.name} title={file?.name} data-testid="viewer-name">
          {file?.name ?? ''}
        </h2>
      </div>
      {place.count > 1 && place.at > 0 && (
        <div className={classes.steps}>
          <IconButton
            icon={IconChevronLeft}
            label={t('viewer.previous')}
            disabled={!place.previous}
            onClick={() => onShow(place.previous)}
            testId="viewer-previous"
          />
          <span className={`${classes.position} tabular`} data-testid="viewer-position">
            {t('viewer.position', { at: place.at, count: place.count })}
          </span>
          <IconButton
            icon={IconChevronRight}
            label={t('viewer.next')}
            disabled={!place.next}
            onClick={() => onShow(place.next)}
            testId="viewer-next"
          />
        </div>
      )}
      <IconButton
        icon={IconInfoCircle}
        label={t('viewer.details')}
        aria-expanded={details}
        disabled={!file}
        onClick={onDetails}
        testId="viewer-details"
      />
      {download && (
        <IconButton
          icon={IconDownload}
          label={t('files.action.download')}
          disabled={!file}
          onClick={() => file && download(file)}
          testId="viewer-download"
        />
      )}
    </header>
  );
}
