import { useState } from 'react';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import classes from './item-list.module.css';

/** A file's small picture, or its glyph where there is none or it does not come. */
export function Preview({ item }: { item: FileItem }) {
  const [missing, setMissing] = useState<string | null>(null);
  const url = item.thumbnailUrl;
  if (!url || url === missing) {
    return <FileGlyph name={item.name} folder={false} mimeType={item.mimeType} size={52} />;
  }
  return (
    <img
      className={classes.preview}
      src={url}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setMissing(url)}
    />
  );
}
