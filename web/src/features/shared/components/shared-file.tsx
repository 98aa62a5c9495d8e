import { Button, Group } from '@mantine/core';
import { IconDownload, IconEye, IconPlayerPlay } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { familyOf } from '@/lib/file-family';
import type { LinkSource } from '../use-link-source';
import classes from './shared.module.css';

interface Props {
  file: FileItem;
  source: LinkSource;
  onShow: (file: FileItem) => void;
}

/** A single shared file: its picture, and buttons that show and download it. */
export function SharedFile({ file, source, onShow }: Props) {
  const { t } = useTranslation();
  const button = useRef<HTMLButtonElement>(null);
  const [missing, setMissing] = useState(false);
  const plays = ['video', 'audio'].includes(familyOf(file.name, file.mimeType));
  useEffect(() => button.current?.focus(), []);
  return (
    <div className={classes.file}>
      {file.thumbnailUrl && !missing ? (
        <img src={file.thumbnailUrl} alt="" className={classes.picture} onError={() => setMissing(true)} />
      ) : (
        <span className={classes.blank}>
          <FileGlyph name={file.name} mimeType={file.mimeType} size={72} />
        </span>
      )}
      <Group justify="center">
        <Button
          ref={button}
          size="md"
          leftSection={plays ? <IconPlayerPlay size={19} /> : <IconEye size={19} />}
          onClick={() => onShow(file)}
          data-testid="shared-show"
        >
          {t(plays ? 'shared.play' : 'files.action.open')}
        </Button>
        {source.download && (
          <Button
            size="md"
            variant="default"
            leftSection={<IconDownload size={19} />}
            onClick={() => source.download?.(file)}
            data-testid="shared-download"
          >
            {t('files.action.download')}
          </Button>
        )}
      </Group>
    </div>
  );
}
