import { FocusTrap, Portal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Item } from '@/api/types';
import { Bar } from './components/bar';
import { Details } from './components/details';
import { Stage } from './components/stage';
import { placeOf } from './model/neighbours';
import { fileQuery, previewQuery } from './queries';
import { type ViewerSource, ViewerSourceContext } from './source';
import classes from './viewer.module.css';
import { type KeyHandler, useLayerKeys, ViewerKeys } from './viewer-keys';

interface Props {
  fileId: string;
  source: ViewerSource;
  /** The list that the file is in, in its order. */
  items: Item[];
  loadMore: (() => void) | null;
  onShow: (fileId: string) => void;
  onClose: () => void;
  /** Called with the name of the viewed file, and with `null` when the viewer closes. */
  onName: (name: string | null) => void;
}

/** A file over the whole window, with navigation to its neighbours. */
export function Viewer(props: Props) {
  const { fileId, source, items, loadMore, onShow, onClose, onName } = props;
  const { t } = useTranslation();
  const layer = useRef<HTMLDivElement>(null);
  const keys = useRef<KeyHandler | null>(null);
  const [details, setDetails] = useState(false);
  const fetched = useQuery(fileQuery(source, fileId));
  const listed = items.find((item): item is FileItem => item.id === fileId && item.kind === 'file');
  const file = fetched.data ?? listed ?? null;
  const preview = useQuery({
    ...previewQuery(source, fileId),
    enabled: file !== null && file.status !== 'UPLOADING',
  });
  const place = placeOf(fileId, items);
  const show = (to: FileItem | null) => to && onShow(to.id);
  useLayerKeys(keys, { onPrevious: () => show(place.previous), onNext: () => show(place.next), onClose });

  const name = file?.name ?? null;
  useEffect(() => onName(name), [name, onName]);
  useEffect(() => () => onName(null), [onName]);
  const atEnd = place.at > 0 && place.next === null;
  useEffect(() => {
    if (atEnd) loadMore?.();
  }, [atEnd, loadMore]);
  // The focused element may have been removed with the previous file.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each file
  useEffect(() => {
    if (document.activeElement === document.body) layer.current?.focus();
  }, [fileId]);

  return (
    <Portal>
      <ViewerSourceContext value={source}>
        <ViewerKeys value={keys}>
          <FocusTrap active>
            <div
              ref={layer}
              role="dialog"
              aria-modal="true"
              aria-label={name ?? t('viewer.label')}
              tabIndex={-1}
              data-autofocus
              className={classes.layer}
              data-testid="viewer"
              data-name={name ?? undefined}
              data-kind={preview.data?.kind}
            >
              <Bar
                file={file}
                place={place}
                details={details}
                onDetails={() => setDetails(!details)}
                onShow={show}
                onClose={onClose}
              />
              <div className={classes.body}>
                <Stage
                  key={fileId}
                  fileId={fileId}
                  file={file}
                  fileError={fetched.error}
                  preview={preview}
                  place={place}
                  onShow={show}
                  onAgain={() => void Promise.all([fetched.refetch(), preview.refetch()])}
                />
                {details && file && (
                  <Details file={file} preview={preview.data ?? null} onClose={() => setDetails(false)} />
                )}
              </div>
            </div>
          </FocusTrap>
        </ViewerKeys>
      </ViewerSourceContext>
    </Portal>
  );
}
