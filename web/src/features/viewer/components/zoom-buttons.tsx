import { IconArrowsMaximize, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from './icon-button';

interface Props {
  /** 1 fits the window. */
  scale: number;
  least: number;
  most: number;
  /** The label of the button that fits the window. */
  fit: string;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
}

/** Buttons to zoom out, zoom in, and fit. */
export function ZoomButtons({ scale, least, most, fit, onIn, onOut, onFit }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <IconButton
        icon={IconZoomOut}
        label={t('viewer.picture.zoomOut')}
        disabled={scale <= least}
        onClick={onOut}
        testId="zoom-out"
      />
      <IconButton
        icon={IconZoomIn}
        label={t('viewer.picture.zoomIn')}
        disabled={scale >= most}
        onClick={onIn}
        testId="zoom-in"
      />
      <IconButton
        icon={IconArrowsMaximize}
        label={fit}
        disabled={scale === 1}
        onClick={onFit}
        testId="zoom-fit"
      />
    </>
  );
}
