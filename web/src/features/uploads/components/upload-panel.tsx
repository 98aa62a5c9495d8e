import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UploadItem } from '../engine/types';
import { uploads, useUploads } from '../uploads';
import { useLeaveWarning } from '../use-leave-warning';
import { CancelDialog } from './cancel-dialog';
import { PanelHead } from './panel-head';
import { UploadAnnouncer } from './upload-announcer';
import { useUploadPickers } from './upload-inputs';
import { UploadList } from './upload-list';
import classes from './upload-panel.module.css';

/** The panel of all uploads; hidden while there are none. */
export function UploadPanel() {
  const { t } = useTranslation();
  const [collapsed, setCollapsed] = useState(false);
  const [cancelling, setCancelling] = useState<UploadItem | null>(null);
  const { resume } = useUploadPickers();
  const empty = useUploads(({ order }) => order.length === 0);
  useLeaveWarning();
  const cancel = (item: UploadItem) => {
    if (item.sent > 0 && item.uploadId) setCancelling(item);
    else void uploads.cancel(item.id);
  };
  return (
    <>
      <UploadAnnouncer />
      <CancelDialog item={cancelling} onClose={() => setCancelling(null)} />
      {!empty && (
        <section
          className={classes.panel}
          aria-label={t('uploads.panel')}
          data-testid="upload-panel"
          data-collapsed={collapsed || undefined}
        >
          <PanelHead collapsed={collapsed} onToggle={() => setCollapsed(!collapsed)} />
          {!collapsed && <UploadList onResume={resume} onCancel={cancel} />}
        </section>
      )}
    </>
  );
}
