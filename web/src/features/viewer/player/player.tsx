import { Loader, UnstyledButton } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileItem, Preview, Stream } from '@/api/types';
import { prefersReducedMotion } from '@/lib/motion';
import { positionOf } from '../model/positions';
import { useViewerSource } from '../source';
import { ControlBar } from './control-bar';
import { Cover } from './cover';
import classes from './player.module.css';
import { PlayerFault } from './player-fault';
import { Resumed } from './resumed';
import { TimeBar } from './time-bar';
import { TranscodingBadge } from './transcoding-badge';
import { useControls } from './use-controls';
import { type Source, useEngine } from './use-engine';
import { useFrozen, useUnfreeze } from './use-frozen';
import { useIdle } from './use-idle';
import { useMedia } from './use-media';
import { usePlayerKeys } from './use-player-keys';
import { useSprite } from './use-sprite';
import { useStoredPlayback } from './use-stored-playback';
import { useSubtitles } from './use-subtitles';
import { Waveform } from './waveform';

interface Props {
  file: FileItem;
  preview: Preview;
  kind: 'video' | 'audio';
  source: Source;
  onAgain: () => void;
  onDownload: (() => void) | undefined;
}

const NO_TRACKS: Stream['subtitles'] = [];

/** The player for films and audio. */
export function Player({ file, preview, kind, source, onAgain, onDownload }: Props) {
  const { t } = useTranslation();
  const { positionsOf } = useViewerSource();
  const video = useRef<HTMLVideoElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const stream = 'stream' in source ? source.stream : null;
  const media = useMedia(video);
  const length = (stream?.durationMs ?? preview.durationMs ?? 0) / 1000;
  // A film that is still being transcoded only knows its current end.
  const duration = Math.max(length, stream?.complete === false ? 0 : media.known) || media.known;
  const [from] = useState(() => positionOf(positionsOf, file.id, length));
  const frozen = useFrozen(video);
  const engine = useEngine(video, {
    fileId: file.id,
    source,
    from,
    autoplay: kind === 'audio' || !prefersReducedMotion(),
    onChange: frozen.freeze,
  });
  useUnfreeze(frozen, engine.loading);
  const tracks = stream?.subtitles ?? NO_TRACKS;
  const subtitles = useSubtitles(video, tracks);
  const controls = useControls({ media: video, root, duration, onSubtitles: subtitles.toggle });
  const [menu, setMenu] = useState(false);
  const { idle, reportActivity } = useIdle(kind === 'video' && !media.paused && !menu);
  const tiles = useSprite(stream?.sprite ?? null);
  useStoredPlayback({ media: video, positionsOf, fileId: file.id, duration });
  usePlayerKeys(controls, duration, reportActivity);
  const touched = useRef(false);

  if (engine.fault) return <PlayerFault onAgain={onAgain} onDownload={onDownload} />;
  const busy = media.waiting || (engine.loading && !media.paused);
  const share = duration ? Math.min(1, media.time / duration) : 0;
  return (
    <div
      ref={root}
      className={classes.player}
      data-kind={kind}
      data-idle={idle || undefined}
      data-testid="player"
      data-state={media.ended ? 'ended' : media.paused ? 'paused' : busy ? 'waiting' : 'playing'}
      data-time={media.time.toFixed(1)}
      data-duration={duration.toFixed(1)}
      data-height={engine.choices.playing ?? undefined}
      data-heights={engine.choices.heights.join(' ')}
      onPointerMove={reportActivity}
      onFocus={reportActivity}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: its tracks are the sidecar files, if any */}
      <video
        ref={video}
        className={classes.video}
        playsInline
        poster={kind === 'video' ? (stream?.poster ?? preview.pictureUrl ?? undefined) : undefined}
        aria-label={t(kind === 'video' ? 'viewer.player.video' : 'viewer.player.audio')}
        onPointerDown={(event) => {
          touched.current = event.pointerType === 'touch';
        }}
        // A tap shows the controls; a click plays or pauses.
        onClick={() => (touched.current ? reportActivity() : controls.toggle())}
        onDoubleClick={() => touched.current || controls.fullscreen()}
        data-testid="video"
      >
        {tracks.map(({ name, language, url }) => (
          <track key={url} kind="subtitles" src={url} label={name} srcLang={language ?? 'und'} />
        ))}
      </video>
      <canvas ref={frozen.canvas} className={classes.frozen} hidden={!frozen.shown} aria-hidden="true" />
      {kind === 'audio' && <Cover file={file} url={preview.pictureUrl} />}
      {kind === 'video' && !media.started && !busy && (
        <UnstyledButton
          className={classes.large}
          onClick={controls.toggle}
          aria-label={t('viewer.player.play')}
          data-testid="play-large"
        >
          <IconPlayerPlayFilled size={40} aria-hidden="true" />
        </UnstyledButton>
      )}
      {busy && !frozen.shown && (
        <div className={classes.busy} role="status">
          <Loader color="#fff" aria-label={t('viewer.player.waiting')} />
        </div>
      )}
      <div className={classes.notes}>
        {stream && !stream.complete && kind === 'video' && <TranscodingBadge file={file} />}
        {from > 0 && <Resumed at={from} onStart={() => controls.seek(0)} />}
      </div>
      <div className={classes.controls} data-testid="controls">
        <TimeBar
          time={media.time}
          duration={duration}
          buffered={media.buffered}
          edge={stream?.complete === false ? media.edge : duration}
          tiles={tiles}
          onSeek={controls.seek}
        >
          {kind === 'audio' && preview.waveform?.length ? (
            <Waveform peaks={preview.waveform} share={share} />
          ) : undefined}
        </TimeBar>
        <ControlBar
          kind={kind}
          media={media}
          duration={duration}
          controls={controls}
          engine={engine}
          subtitles={{ tracks, ...subtitles }}
          onMenu={setMenu}
        />
      </div>
    </div>
  );
}
