import {
  IconFile,
  IconFileCode,
  IconFileMusic,
  IconFileText,
  IconFileTypePdf,
  IconFileZip,
  IconFolderFilled,
  IconMovie,
  IconPhoto,
  IconTable,
} from '@tabler/icons-react';
import { type FileFamily, familyOf } from '@/lib/file-family';
import classes from './file-glyph.module.css';

const ICONS: Record<FileFamily, typeof IconFile> = {
  folder: IconFolderFilled,
  video: IconMovie,
  image: IconPhoto,
  audio: IconFileMusic,
  pdf: IconFileTypePdf,
  archive: IconFileZip,
  table: IconTable,
  code: IconFileCode,
  text: IconFileText,
  other: IconFile,
};

interface Props {
  name: string;
  mimeType?: string;
  folder?: boolean;
  size?: number;
}

/** An icon for the kind of a file; decorative, so hidden from screen readers. */
export function FileGlyph({ name, mimeType = '', folder = false, size = 24 }: Props) {
  const family = folder ? 'folder' : familyOf(name, mimeType);
  const Icon = ICONS[family];
  return <Icon size={size} stroke={1.6} className={classes.glyph} data-family={family} aria-hidden="true" />;
}
