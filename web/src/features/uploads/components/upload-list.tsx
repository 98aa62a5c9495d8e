import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useShallow } from 'zustand/react/shallow';
import { panelOrder } from '../engine/store';
import type { UploadItem } from '../engine/types';
import { useUploads } from '../uploads';
import classes from './upload-panel.module.css';
import { UploadRow } from './upload-row';

const ROW_HEIGHT = 72;

interface Props {
  onResume: (id: string) => void;
  onCancel: (item: UploadItem) => void;
}

/** The rows, virtualised: a dropped folder may hold thousands. */
export function UploadList({ onResume, onCancel }: Props) {
  const { t } = useTranslation();
  const order = useUploads(useShallow(panelOrder));
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => order[index] ?? index,
    overscan: 6,
    initialRect: { width: 400, height: 360 },
  });
  return (
    <div ref={scroller} className={classes.list}>
      <div
        style={{ height: virtual.getTotalSize(), position: 'relative' }}
        role="list"
        aria-label={t('uploads.panel')}
      >
        {virtual.getVirtualItems().map(({ index, key, start }) => (
          <div
            key={key}
            role="listitem"
            aria-setsize={order.length}
            aria-posinset={index + 1}
            style={{ position: 'absolute', inset: '0 0 auto', transform: `translateY(${start}px)` }}
          >
            <UploadRow id={order[index] ?? ''} onResume={onResume} onCancel={onCancel} />
          </div>
        ))}
      </div>
    </div>
  );
}
