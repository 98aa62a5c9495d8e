import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import type { FileItem } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { familyOf } from '@/lib/file-family';
import classes from './item-list.module.css';

/**
 * A file's thumbnail, or its icon where there is none or it fails to load. Its space is reserved to avoid layout
 * shifts, and it is loaded lazily; films have a play symbol.
 */
export function Preview({ item }: { item: FileItem }) {
  const [missing, setMissing] = useState<string | null>(null);
  const url = item.thumbnailUrl;
  if (!url || url === missing) {
    return <FileGlyph name={item.name} folder={false} mimeType={item.mimeType} size={52} />;
  }
  return (
    <>
      <img
        className={classes.preview}
        src={url}
        alt=""
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setMissing(url)}
      />
      {familyOf(item.name, item.mimeType) === 'video' && (
        <span className={classes.play} aria-hidden="true">
          <IconPlayerPlayFilled size={18} />
        </span>
      )}
    </>
  );
}
