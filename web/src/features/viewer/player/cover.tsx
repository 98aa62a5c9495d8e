import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import classes from './cover.module.css';

/** The cover of an audio file, or an icon. */
export function Cover({ file, url }: { file: FileItem; url: string | null }) {
  const { t } = useTranslation();
  const [first] = useState(url);
  const [missing, setMissing] = useState(false);
  return (
    <div className={classes.room}>
      {first && !missing ? (
        <img
          src={first}
          alt={t('viewer.player.cover')}
          className={classes.picture}
          onError={() => setMissing(true)}
        />
      ) : (
        <div className={classes.blank}>
          <FileGlyph name={file.name} mimeType={file.mimeType} size={84} />
        </div>
      )}
      <span className={classes.name}>{file.name}</span>
    </div>
  );
}
