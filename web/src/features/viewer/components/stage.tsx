import { IconCloudUpload, IconFileBroken, IconFileUnknown, IconMoodSad } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import type { FileItem, Preview } from '@/api/types';
import { isDamaged } from '@/components/damage';
import { useErrorText } from '@/components/error-text';
import { FileGlyph } from '@/components/file-glyph';
import type { Place } from '../model/neighbours';
import { PictureStage } from '../picture/picture-stage';
import { useDownload } from '../source';
import { Notice, Waiting } from './notice';
import { ProcessingNotice } from './processing-notice';
import classes from './stage.module.css';

// Chunks with their libraries, loaded when first needed.
const PdfView = lazy(() => import('../document/pdf-view').then(({ PdfView }) => ({ default: PdfView })));
const TextView = lazy(() => import('../text/text-view').then(({ TextView }) => ({ default: TextView })));
const MarkdownView = lazy(() =>
  import('../text/markdown-view').then(({ MarkdownView }) => ({ default: MarkdownView })),
);
const PlayerStage = lazy(() =>
  import('../player/player-stage').then(({ PlayerStage }) => ({ default: PlayerStage })),
);

interface Props {
  fileId: string;
  file: FileItem | null;
  fileError: unknown;
  preview: UseQueryResult<Preview>;
  place: Place;
  onShow: (file: FileItem | null) => void;
  onAgain: () => void;
}

/** The file, or the reason why it cannot be shown. */
export function Stage(props: Props) {
  const { t } = useTranslation();
  const { file } = props;
  return (
    <div className={classes.stage} data-testid="viewer-stage">
      <Suspense fallback={<Waiting label={t('viewer.wait', { name: file?.name ?? '' })} />}>
        {file ? <KnownFile {...props} file={file} /> : <UnknownFile {...props} />}
      </Suspense>
    </div>
  );
}

/** Shown while the file is unknown, or does not exist. */
function UnknownFile({ fileError, onAgain }: Props) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  if (!fileError) return <Waiting label={t('common.loading')} />;
  const gone = isProblem(fileError, 404, 422);
  return (
    <Notice
      alert
      icon={<IconMoodSad size={38} />}
      title={t('viewer.failed.title')}
      text={gone ? t('viewer.failed.gone') : errorText(fileError)}
      onAgain={gone ? undefined : onAgain}
    />
  );
}

/** A file whose name at least is known. */
function KnownFile(props: Props & { file: FileItem }) {
  const { file, preview, onAgain } = props;
  const { t } = useTranslation();
  const errorText = useErrorText();
  const download = useDownload(file);
  if (file.status === 'UPLOADING') {
    return (
      <Notice
        icon={<IconCloudUpload size={38} />}
        title={t('viewer.nothing.unfinished')}
        text={t('viewer.nothing.unfinishedText')}
      />
    );
  }
  if (isDamaged(file)) {
    return (
      <Notice
        icon={<IconFileBroken size={38} />}
        title={t('files.processing.damaged')}
        text={t('problem.file-damaged')}
      />
    );
  }
  if (file.size === 0) {
    return (
      <Notice
        icon={<FileGlyph name={file.name} mimeType={file.mimeType} size={38} />}
        title={t('viewer.nothing.empty')}
        onDownload={download}
      />
    );
  }
  if (preview.data) return <Shown {...props} preview={preview.data} />;
  if (preview.isPending) return <Waiting label={t('viewer.wait', { name: file.name })} />;
  return (
    <Notice
      alert
      icon={<IconMoodSad size={38} />}
      title={t('viewer.failed.title')}
      text={errorText(preview.error)}
      onAgain={onAgain}
      onDownload={download}
    />
  );
}

type ShownProps = Omit<Props, 'preview'> & { file: FileItem; preview: Preview };

/** The view for the kind of the file, or its picture. */
function Shown(props: ShownProps) {
  const { file, preview } = props;
  const download = useDownload(file);
  if (preview.kind === 'video' || preview.kind === 'audio') {
    return <PlayerStage {...props} kind={preview.kind} onDownload={download} />;
  }
  if (preview.kind === 'pdf' && preview.url) {
    return <PdfView file={file} url={preview.url} onDownload={download} />;
  }
  if (preview.excerpt && preview.kind === 'markdown') {
    return <MarkdownView file={file} excerpt={preview.excerpt} onDownload={download} />;
  }
  if (preview.excerpt) {
    return <TextView file={file} excerpt={preview.excerpt} kind={preview.kind} onDownload={download} />;
  }
  if (preview.pictureUrl || (preview.kind === 'image' && preview.url)) {
    return <PictureStage {...props} onDownload={download} />;
  }
  return <NoPreview {...props} />;
}

/** Shown when there is no picture of the file, or none yet. */
function NoPreview({ file }: ShownProps) {
  const { t } = useTranslation();
  const download = useDownload(file);
  if (file.status !== 'READY') {
    return (
      <ProcessingNotice
        file={file}
        title={t('viewer.processing.picture')}
        text={t('viewer.processing.pictureText')}
        onDownload={download}
      />
    );
  }
  return (
    <Notice
      icon={<IconFileUnknown size={38} />}
      title={t('viewer.nothing.title')}
      text={t(download ? 'viewer.nothing.text' : 'viewer.nothing.viewOnly')}
      onDownload={download}
    />
  );
}
