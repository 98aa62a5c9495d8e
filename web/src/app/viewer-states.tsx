import { Button, FocusTrap, Group, Loader, Portal } from '@mantine/core';
import { IconMoodSad } from '@tabler/icons-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NoticeState } from '@/components/notice-state';
import classes from './viewer-states.module.css';

/** Shown while the viewer's chunk loads. */
export function ViewerLoading({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Ground onClose={onClose}>
      <Loader color="gray" aria-label={t('common.loading')} />
      <Button variant="default" mt="lg" onClick={onClose} data-autofocus>
        {t('common.cancel')}
      </Button>
    </Ground>
  );
}

/** Shown when the viewer could not be loaded, or crashed. */
export function ViewerFailed({ onClose, onDownload }: { onClose: () => void; onDownload?: () => void }) {
  const { t } = useTranslation();
  return (
    <Ground onClose={onClose}>
      <NoticeState
        icon={<IconMoodSad size={34} />}
        title={t('common.crashed.title')}
        text={t('common.crashed.text')}
      >
        <Group mt="sm">
          <Button onClick={() => location.reload()} data-autofocus>
            {t('common.crashed.reload')}
          </Button>
          {onDownload && (
            <Button variant="default" onClick={onDownload}>
              {t('files.action.download')}
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            {t('common.close')}
          </Button>
        </Group>
      </NoticeState>
    </Ground>
  );
}

function Ground({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  const onKeyDown = ({ key }: KeyboardEvent) => {
    if (key === 'Escape') onClose();
  };
  return (
    <Portal>
      <FocusTrap active>
        <div
          role="dialog"
          aria-modal="true"
          aria-label={t('common.loading')}
          className={classes.ground}
          onKeyDown={onKeyDown}
        >
          {children}
        </div>
      </FocusTrap>
    </Portal>
  );
}
