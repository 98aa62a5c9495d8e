/** The kinds of files that icons distinguish. */
export type FileFamily =
  | 'folder'
  | 'video'
  | 'image'
  | 'audio'
  | 'pdf'
  | 'archive'
  | 'table'
  | 'code'
  | 'text'
  | 'other';

const BY_EXTENSION: Record<string, FileFamily> = {
  ...family('video', 'mp4 mkv mov webm avi m4v'),
  ...family('image', 'jpg jpeg png gif webp avif heic svg bmp tif tiff'),
  ...family('audio', 'mp3 wav flac ogg m4a aac opus'),
  ...family('pdf', 'pdf'),
  ...family('archive', 'zip gz tar 7z rar zst xz bz2'),
  ...family('table', 'csv xls xlsx ods tsv'),
  ...family('code', 'js ts tsx py rs go c h cpp java html css json xml yml yaml sh sql'),
  ...family('text', 'txt md rtf doc docx odt log'),
};

/** Returns the kind of a file, by its name first and its media type second. */
export function familyOf(name: string, mimeType = ''): FileFamily {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const known = BY_EXTENSION[extension];
  if (known) return known;
  const [main] = mimeType.split('/');
  return main === 'video' || main === 'image' || main === 'audio' || main === 'text' ? main : 'other';
}

function family(kind: FileFamily, extensions: string): Record<string, FileFamily> {
  return Object.fromEntries(extensions.split(' ').map((extension) => [extension, kind]));
}
