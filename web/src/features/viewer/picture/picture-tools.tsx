import { IconMaximize, IconRotateClockwise, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../components/icon-button';
import classes from './picture-tools.module.css';

interface Props {
  scale: number;
  largest: number;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
  onTurn: () => void;
}

/** Buttons for what wheels and fingers do too. */
export function PictureTools({ scale, largest, onIn, onOut, onFit, onTurn }: Props) {
  const { t } = useTranslation();
  return (
    <div role="toolbar" aria-label={t('viewer.picture.tools')} className={classes.tools}>
      <IconButton
        icon={IconZoomOut}
        label={t('viewer.picture.zoomOut')}
        disabled={scale <= 1}
        onClick={onOut}
        testId="zoom-out"
      />
      <IconButton
        icon={IconZoomIn}
        label={t('viewer.picture.zoomIn')}
        disabled={scale >= largest}
        onClick={onIn}
        testId="zoom-in"
      />
      <IconButton
        icon={IconMaximize}
        label={t('viewer.picture.fit')}
        disabled={scale <= 1}
        onClick={onFit}
        testId="zoom-fit"
      />
      <IconButton
        icon={IconRotateClockwise}
        label={t('viewer.picture.rotate')}
        onClick={onTurn}
        testId="rotate"
      />
    </div>
  );
}
