import { useElementSize } from '@mantine/hooks';
import { IconFileTypePdf } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem } from '@/api/types';
import { Notice, Waiting } from '../components/notice';
import { previewQuery } from '../queries';
import { useViewerSource } from '../source';
import { type Document, openDocument, wantsPassword } from './open-document';
import { PdfPages } from './pdf-pages';
import classes from './pdf-view.module.css';

interface Props {
  file: FileItem;
  url: string;
  onDownload: (() => void) | undefined;
}

/** A PDF document. */
export function PdfView({ file, url, onDownload }: Props) {
  const { t } = useTranslation();
  const { document, error, again } = useDocument(file, url);
  const { ref, width } = useElementSize<HTMLDivElement>();
  if (error) {
    const locked = wantsPassword(error);
    return (
      <Notice
        alert
        icon={<IconFileTypePdf size={38} />}
        title={t('viewer.failed.title')}
        text={t(locked ? 'viewer.failed.password' : 'viewer.failed.pdf')}
        onAgain={locked ? undefined : again}
        onDownload={onDownload}
      />
    );
  }
  return (
    <div ref={ref} className={classes.room}>
      {document && width > 0 ? (
        <PdfPages document={document} name={file.name} width={width} />
      ) : (
        <Waiting label={t('viewer.wait', { name: file.name })} />
      )}
    </div>
  );
}

/** Opens the document once, whatever URLs follow. */
function useDocument(file: FileItem, url: string) {
  const queries = useQueryClient();
  const viewer = useViewerSource();
  const [first] = useState(url);
  const [round, setRound] = useState(0);
  const [document, setDocument] = useState<Document | null>(null);
  const [error, setError] = useState<unknown>(null);
  const renew = useCallback(
    async () => (await queries.fetchQuery({ ...previewQuery(viewer, file.id), staleTime: 0 })).url,
    [queries, viewer, file.id],
  );
  useEffect(() => {
    let over = false;
    let close = () => {};
    const open = async () => {
      const source = round === 0 ? first : ((await renew()) ?? first);
      if (over) return;
      const opening = openDocument(source, file.size, renew);
      close = opening.close;
      const opened = await opening.document;
      if (!over) setDocument(opened);
    };
    setError(null);
    open().catch((reason: unknown) => {
      if (!over) setError(reason);
    });
    return () => {
      over = true;
      setDocument(null);
      close();
    };
  }, [first, file.size, renew, round]);
  return { document, error, again: () => setRound((count) => count + 1) };
}
