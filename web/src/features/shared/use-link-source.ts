import { notifications } from '@mantine/notifications';
import { useMemo } from 'react';
import { ApiProblem } from '@/api/problem';
import type { FileItem, Item, Preview, Stream } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import * as calls from './calls';
import { keyOf } from './use-visit';

/** The files of a link, in the shape of the viewer's source. */
export interface LinkSource {
  key: readonly string[];
  positionsOf: string;
  root: string;
  download: ((file: FileItem) => void) | null;
  retry: null;
  file: (id: string, signal: AbortSignal) => Promise<FileItem>;
  preview: (id: string, signal: AbortSignal) => Promise<Preview>;
  stream: (id: string, signal: AbortSignal) => Promise<Stream>;
}

interface Options {
  token: string;
  root: string;
  mayDownload: boolean;
  /** Called with each error. */
  check: (error: unknown) => void;
}

/** Returns the files of a link as a source for the viewer. */
export function useLinkSource({ token, root, mayDownload, check }: Options): LinkSource {
  const errorText = useErrorText();
  return useMemo(() => {
    const checked = async <T>(call: Promise<T>): Promise<T> => {
      try {
        return await call;
      } catch (error) {
        check(error);
        throw error;
      }
    };
    const download = (file: FileItem) =>
      void checked(calls.download(token, file)).catch((error: unknown) =>
        notifications.show({ color: 'red', message: errorText(error), autoClose: 8000 }),
      );
    return {
      key: keyOf(token),
      positionsOf: `link.${token}`,
      root,
      download: mayDownload ? download : null,
      retry: null,
      file: async (id, signal) => fileOf(await checked(calls.item(token, id, signal))),
      preview: (id, signal) => checked(calls.preview(token, id, signal)),
      stream: (id, signal) => checked(calls.stream(token, id, signal)),
    };
  }, [token, root, mayDownload, check, errorText]);
}

function fileOf(item: Item): FileItem {
  if (item.kind === 'file') return item;
  throw new ApiProblem(404, 'not-found', 'This is a folder.');
}
