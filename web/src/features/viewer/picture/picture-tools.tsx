import { IconRotateClockwise } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../components/icon-button';
import { ZoomButtons } from '../components/zoom-buttons';
import classes from './picture-tools.module.css';

interface Props {
  scale: number;
  largest: number;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
  onTurn: () => void;
}

/** Buttons for zooming and rotating. */
export function PictureTools({ scale, largest, onIn, onOut, onFit, onTurn }: Props) {
  const { t } = useTranslation();
  return (
    <div role="toolbar" aria-label={t('viewer.picture.tools')} className={classes.tools}>
      <ZoomButtons
        scale={scale}
        least={1}
        most={largest}
        fit={t('viewer.picture.fit')}
        onIn={onIn}
        onOut={onOut}
        onFit={onFit}
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
