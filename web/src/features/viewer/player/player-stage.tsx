import { IconMoodSad } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import type { FileItem, Preview } from '@/api/types';
import { useErrorText } from '@/components/error-text';
import { Notice, Waiting } from '../components/notice';
import { ProcessingNotice } from '../components/processing-notice';
import { streamQuery } from '../queries';
import { useViewerSource } from '../source';
import { Player } from './player';
import type { Source } from './use-engine';

const GROWING_MS = 4_000;
const UNREADY_MS = 2_000;

interface Props {
  file: FileItem;
  preview: Preview;
  kind: 'video' | 'audio';
  onDownload: (() => void) | undefined;
}

/** A film or audio file: the player once something can be played, the progress until then. */
export function PlayerStage(props: Props) {
  const { file, preview, kind, onDownload } = props;
  const viewer = useViewerSource();
  const { t } = useTranslation();
  const errorText = useErrorText();
  const stream = useQuery({
    ...streamQuery(viewer, file.id),
    refetchInterval: ({ state: { data, error } }) => {
      if (data) return data.complete ? false : GROWING_MS;
      return isProblem(error, 'not-playable') && file.status !== 'FAILED' ? UNREADY_MS : false;
    },
  });
  const unready = isProblem(stream.error, 'not-playable');
  const found: Source | null = stream.data
    ? { stream: stream.data }
    : unready && preview.url && (kind === 'audio' || file.status !== 'PROCESSING')
      ? { url: preview.url }
      : null;
  const source = useSticky(found);
  const [round, setRound] = useState(0);
  const again = () => void stream.refetch().finally(() => setRound((count) => count + 1));
  if (source) return <Player key={round} {...props} source={source} onAgain={again} />;
  if (unready) {
    return (
      <ProcessingNotice
        file={file}
        title={t('viewer.processing.title')}
        text={t('viewer.processing.text')}
        onDownload={onDownload}
      />
    );
  }
  if (stream.isPending) return <Waiting label={t('viewer.wait', { name: file.name })} />;
  return (
    <Notice
      alert
      icon={<IconMoodSad size={38} />}
      title={t('viewer.failed.title')}
      text={errorText(stream.error)}
      onAgain={() => void stream.refetch()}
      onDownload={onDownload}
    />
  );
}

/** A file that plays directly keeps doing so, even when a stream becomes available. */
function useSticky(found: Source | null): Source | null {
  const kept = useRef<Source | null>(null);
  if (found && !(kept.current && 'url' in kept.current)) kept.current = found;
  return kept.current;
}
