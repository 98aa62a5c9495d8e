import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import classes from './paper.module.css';

interface Props {
  file: FileItem;
  /** Whether only the beginning is shown. */
  cut: boolean;
  tools?: ReactNode;
  onDownload: (() => void) | undefined;
  children: ReactNode;
}

/** A scrollable sheet of text that takes the keyboard focus. */
export function Paper({ file, cut, tools, onDownload, children }: Props) {
  const { t } = useTranslation();
  const sheet = useRef<HTMLElement>(null);
  useEffect(() => {
    const { activeElement } = document;
    if (activeElement === document.body || activeElement?.matches('[role=dialog]')) sheet.current?.focus();
  }, []);
  return (
    <div className={classes.frame}>
      {tools && <div className={classes.tools}>{tools}</div>}
      <section
        ref={sheet}
        tabIndex={0}
        aria-label={t('viewer.text.content', { name: file.name })}
        className={classes.sheet}
        data-testid="viewer-text"
      >
        {children}
        {cut && (
          <div className={classes.cut} data-testid="viewer-cut">
            <span>{t(onDownload ? 'viewer.text.cut' : 'viewer.text.cutViewOnly')}</span>
            {onDownload && (
              <Button
                variant="default"
                size="xs"
                leftSection={<IconDownload size={16} />}
                onClick={onDownload}
              >
                {t('files.action.download')}
              </Button>
            )}
          </div>
        )}
      </section>
    </div>
  );
}
