import {
  IconDownload,
  IconEye,
  IconFileZip,
  IconFolderOpen,
  IconFolderShare,
  IconPencil,
  IconPlayerPlay,
  IconRefresh,
  IconShare,
  IconTrash,
  IconX,
} from '@tabler/icons-react';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import type { ActionsFor, ItemAction } from '../components/item-action';
import type { UnfinishedUploads } from '../unfinished-uploads';
import type { FileActions } from '../use-file-actions';

interface Options {
  actions: FileActions;
  unfinishedUploads: UnfinishedUploads;
  onOpen: (item: Item) => void;
  onRename: (item: Item) => void;
  onMove: (items: Item[]) => void;
  onShare: (item: Item) => void;
}

/** Whether the item is a file that is not completely uploaded. */
export function isUnfinished(item: Item | undefined): boolean {
  return item?.kind === 'file' && item.status === 'UPLOADING';
}

/** Whether the item is a file whose failed processing can be retried. */
export function isRetryable(item: Item): boolean {
  return item.kind === 'file' && item.status === 'FAILED' && Boolean(item.processing?.retryable);
}

/** Returns the actions on the items of a folder. */
export function useDriveActions({
  actions,
  unfinishedUploads,
  onOpen,
  onRename,
  onMove,
  onShare,
}: Options): ActionsFor {
  const { t } = useTranslation();
  return useCallback(
    (items) => {
      const [first] = items;
      if (!first) return [];
      const one = items.length === 1;
      if (items.some(isUnfinished)) {
        const unfinished = items.filter(isUnfinished);
        const resume = () => {
          for (const { id } of unfinished) unfinishedUploads.resume(id);
        };
        const cancel = () => {
          for (const { id } of unfinished) unfinishedUploads.cancel(id);
        };
        return [
          { id: 'resume', label: t('files.action.resume'), icon: IconPlayerPlay, run: resume },
          { id: 'cancel', label: t('files.action.cancel'), icon: IconX, danger: true, run: cancel },
        ];
      }
      const list: (ItemAction | false)[] = [
        one && {
          id: 'open',
          label: t('files.action.open'),
          icon: first.kind === 'folder' ? IconFolderOpen : IconEye,
          run: () => onOpen(first),
        },
        items.every(isRetryable) && {
          id: 'retry',
          label: t('files.action.retry'),
          icon: IconRefresh,
          run: actions.retry,
        },
        items.every(({ kind }) => kind === 'file') && {
          id: 'download',
          label: t('files.action.download'),
          icon: IconDownload,
          run: actions.download,
        },
        (!one || first.kind === 'folder') && {
          id: 'download-archive',
          label: t('files.action.downloadArchive'),
          icon: IconFileZip,
          run: actions.downloadArchive,
        },
        one && {
          id: 'share',
          label: t('sharing.action'),
          icon: IconShare,
          run: () => onShare(first),
        },
        one && {
          id: 'rename',
          label: t('files.action.rename'),
          icon: IconPencil,
          run: () => onRename(first),
        },
        { id: 'move', label: t('files.action.move'), icon: IconFolderShare, run: onMove },
        { id: 'delete', label: t('files.action.delete'), icon: IconTrash, danger: true, run: actions.trash },
      ];
      return list.filter((action) => action !== false);
    },
    [t, actions, unfinishedUploads, onOpen, onRename, onMove, onShare],
  );
}
