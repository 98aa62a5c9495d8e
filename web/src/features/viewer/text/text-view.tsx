import { Switch } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Excerpt, FileItem, Preview } from '@/api/types';
import { CodeLines } from './code-lines';
import { Paper } from './paper';
import classes from './text-view.module.css';

interface Props {
  file: FileItem;
  excerpt: Excerpt;
  kind: Preview['kind'];
  onDownload: (() => void) | undefined;
}

/** Text and source code, line by line. */
export function TextView({ file, excerpt, kind, onDownload }: Props) {
  const { t } = useTranslation();
  const [wrap, setWrap] = useState(kind !== 'code');
  return (
    <Paper
      file={file}
      cut={excerpt.truncated}
      onDownload={onDownload}
      tools={
        <Switch
          size="sm"
          checked={wrap}
          onChange={(event) => setWrap(event.currentTarget.checked)}
          label={t('viewer.text.wrap')}
          classNames={{ track: classes.track, label: classes.label }}
          data-testid="wrap"
        />
      }
    >
      <CodeLines text={excerpt.text} language={kind === 'code' ? excerpt.language : null} wrap={wrap} />
    </Paper>
  );
}
