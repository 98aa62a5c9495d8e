import { IconArrowsMaximize, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from './icon-button';

interface Props {
  /** 1 is what fits. */
  scale: number;
  least: number;
  most: number;
  /** What the size that fits is called. */
  fit: string;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
}

/** Smaller, larger, and as it fits. */
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
