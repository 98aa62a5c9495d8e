import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Item } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { formatBytes } from '@/lib/format';
import * as calls from './actions-api';
import { refreshFiles } from './queries';

/** Returns the actions on items, which also show toasts and refetch the lists. */
export function useFileActions() {
  const { t, i18n } = useTranslation();
  const errorText = useErrorText();
  const queries = useQueryClient();
  return useMemo(() => {
    const report = ({ done, failed, reason }: calls.Outcome, success: (items: Item[]) => void) => {
      void refreshFiles(queries);
      void queries.invalidateQueries({ queryKey: ['me'] });
      if (done.length) success(done);
      if (!failed.length) return;
      const cause = errorText(reason);
      const total = done.length + failed.length;
      const message = total === 1 ? cause : t('files.partly', { count: failed.length, total, reason: cause });
      notifications.show({ color: 'red', message, autoClose: 8000 });
    };
    const textValues = (items: Item[]) => ({ count: items.length, name: items[0]?.name ?? '' });
    const restore = async (items: Item[]) => {
      report(await calls.forEach(items, calls.restore), (done) =>
        notifications.show({ message: t('files.restored', textValues(done)) }),
      );
    };
    const trash = async (items: Item[]) => {
      report(await calls.forEach(items, calls.trash), (done) => {
        const id = `trash-${done[0]?.id}`;
        const undo = () => {
          notifications.hide(id);
          void restore(done);
        };
        notifications.show({
          id,
          autoClose: 10_000,
          message: (
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm">{t('files.deleted', textValues(done))}</Text>
              <Button variant="subtle" size="compact-sm" onClick={undo} data-testid="undo">
                {t('common.undo')}
              </Button>
            </Group>
          ),
        });
      });
    };
    const move = async (items: Item[], parentId: string | null, folderName: string) => {
      report(await calls.forEach(items, (item) => calls.change(item, { parentId })), (done) =>
        notifications.show({ message: t('files.move.done', { count: done.length, folder: folderName }) }),
      );
    };
    const purge = async (items: Item[]) => {
      report(await calls.forEach(items, calls.purge), (done) =>
        notifications.show({ message: t('files.purged', textValues(done)) }),
      );
    };
    const retry = async (items: Item[]) => {
      report(await calls.forEach(items, calls.retry), (done) =>
        notifications.show({ message: t('files.retried', textValues(done)) }),
      );
    };
    const download = async (items: Item[]) => {
      const files = items.filter(({ kind }) => kind === 'file');
      try {
        for (const file of files) {
          await calls.download(file);
          if (files.length > 1) await new Promise((resolve) => setTimeout(resolve, 400));
        }
      } catch (error) {
        void refreshFiles(queries);
        notifications.show({ color: 'red', message: errorText(error), autoClose: 8000 });
      }
    };
    const downloadArchive = async (items: Item[]) => {
      try {
        const { name, size } = await calls.downloadArchive(items);
        const values = { name, size: formatBytes(size, i18n.language) };
        notifications.show({ message: t('files.archive', values) });
      } catch (error) {
        void refreshFiles(queries);
        notifications.show({ color: 'red', message: errorText(error), autoClose: 8000 });
      }
    };
    return { restore, trash, move, purge, retry, download, downloadArchive };
  }, [t, i18n.language, errorText, queries]);
}

/** The result of `useFileActions`. */
export type FileActions = ReturnType<typeof useFileActions>;
