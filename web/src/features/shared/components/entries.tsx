import { ActionIcon, Skeleton, UnstyledButton } from '@mantine/core';
import { IconDownload, IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Item } from '@/api/types';
import { FileGlyph } from '@/components/file-glyph';
import { familyOf } from '@/lib/file-family';
import { formatBytes, formatDate } from '@/lib/format';
import classes from './entries.module.css';

interface Props {
  items: Item[];
  view: 'list' | 'grid';
  download: ((file: FileItem) => void) | null;
  onOpen: (item: Item) => void;
}

/** The content of a shared folder. */
export function Entries({ items, view, download, onOpen }: Props) {
  const { t } = useTranslation();
  return (
    <ul className={view === 'grid' ? classes.grid : classes.list} aria-label={t('files.list')}>
      {items.map((item) => (
        <Entry key={item.id} item={item} view={view} download={download} onOpen={onOpen} />
      ))}
    </ul>
  );
}

/** A placeholder for a folder that is loading. */
export function EntriesSkeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t('common.loading')} className={classes.skeleton}>
      {[46, 62, 38, 55, 30].map((width) => (
        <Skeleton key={width} height={16} width={`${width}%`} radius="sm" />
      ))}
    </div>
  );
}

function Entry({ item, view, download, onOpen }: Omit<Props, 'items'> & { item: Item }) {
  const { t, i18n } = useTranslation();
  const folder = item.kind === 'folder';
  const facts = folder
    ? t('files.kind.folder')
    : `${formatBytes(item.size, i18n.language)} · ${formatDate(item.updatedAt, i18n.language)}`;
  return (
    <li className={classes.entry} data-testid="shared-item" data-name={item.name} data-kind={item.kind}>
      <UnstyledButton className={classes.open} onClick={() => onOpen(item)} title={item.name}>
        {view === 'grid' ? (
          <span className={classes.face}>
            <Face item={item} />
          </span>
        ) : (
          <Glyph item={item} size={26} />
        )}
        <span className={classes.names}>
          <span className={classes.name}>{item.name}</span>
          <span className={`${classes.facts} tabular`}>{facts}</span>
        </span>
      </UnstyledButton>
      {!folder && download && (
        <ActionIcon
          size={36}
          className={classes.download}
          onClick={() => download(item)}
          aria-label={t('shared.downloadOf', { name: item.name })}
          data-testid="shared-item-download"
        >
          <IconDownload size={19} stroke={1.8} />
        </ActionIcon>
      )}
    </li>
  );
}

function Face({ item }: { item: Item }) {
  const [missing, setMissing] = useState(false);
  const url = item.kind === 'file' ? item.thumbnailUrl : null;
  if (item.kind === 'folder' || !url || missing) return <Glyph item={item} size={52} />;
  return (
    <>
      <img src={url} alt="" loading="lazy" className={classes.picture} onError={() => setMissing(true)} />
      {familyOf(item.name, item.mimeType) === 'video' && (
        <span className={classes.play} aria-hidden="true">
          <IconPlayerPlayFilled size={18} />
        </span>
      )}
    </>
  );
}

function Glyph({ item, size }: { item: Item; size: number }) {
  const folder = item.kind === 'folder';
  return <FileGlyph name={item.name} folder={folder} mimeType={folder ? '' : item.mimeType} size={size} />;
}
