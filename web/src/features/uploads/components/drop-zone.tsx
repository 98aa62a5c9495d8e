import { notifications } from '@mantine/notifications';
import { IconCloudUpload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useErrorText } from '@/components/error-text';
import { filesOfDrop } from '@/lib/chosen-files';
import { createFolders } from '../empty-folders';
import { listingChanged, uploads } from '../uploads';
import classes from './drop-zone.module.css';

interface Props {
  folder: string;
  folderName: string;
}

/** Makes the whole window a drop target; an overlay names the target folder. */
export function DropZone({ folder, folderName }: Props) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth.current = 0;
      setOver(false);
      const empty: string[] = [];
      filesOfDrop(event.dataTransfer, (path) => empty.push(path)).then(
        (found) => {
          if (empty.length) {
            createFolders(folder, empty).then(listingChanged, (error) =>
              notifications.show({ color: 'red', message: errorText(error) }),
            );
          }
          if (found.length) return uploads.add(found, folder);
          if (!empty.length) notifications.show({ message: t('uploads.none') });
        },
        () => notifications.show({ color: 'red', message: t('uploads.unreadable') }),
      );
    };
    const handlers = { dragenter: enter, dragleave: leave, dragover: hover, drop };
    for (const [name, handler] of Object.entries(handlers))
      window.addEventListener(name, handler as EventListener);
    return () => {
      for (const [name, handler] of Object.entries(handlers))
        window.removeEventListener(name, handler as EventListener);
    };
  }, [folder, t, errorText]);
  return (
    <div
      className={classes.overlay}
      data-over={over || undefined}
      aria-hidden={!over}
      data-testid="drop-overlay"
    >
      <div className={classes.card}>
        <IconCloudUpload size={44} stroke={1.5} aria-hidden />
        <strong>{t('uploads.drop.title')}</strong>
        <span>{t('uploads.drop.into', { folder: folderName })}</span>
      </div>
    </div>
  );
}
