import { useFullscreenDocument } from '@mantine/hooks';
import {
  IconBadgeCc,
  IconGauge,
  IconLanguage,
  IconMaximize,
  IconMinimize,
  IconPictureInPicture,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRewindBackward10,
  IconRewindForward10,
  IconSettings,
  IconVolume,
  IconVolume2,
  IconVolume3,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Stream } from '@/api/types';
import { IconButton } from '../components/icon-button';
import { clock } from '../model/clock';
import { SPEEDS } from '../model/player-preferences';
import { ChoiceMenu, type Group } from './choice-menu';
import classes from './control-bar.module.css';
import type { Controls } from './use-controls';
import type { EngineControl } from './use-engine';
import type { MediaState } from './use-media';

interface Props {
  kind: 'video' | 'audio';
  media: MediaState;
  duration: number;
  controls: Controls;
  engine: EngineControl;
  subtitles: { tracks: Stream['subtitles']; shown: number; choose: (index: number) => void };
  onMenu: (open: boolean) => void;
}

/** The buttons below the timeline. */
export function ControlBar(props: Props) {
  const { kind, media, duration, controls } = props;
  const { t } = useTranslation();
  return (
    <div className={classes.bar}>
      <IconButton
        icon={media.paused ? IconPlayerPlayFilled : IconPlayerPauseFilled}
        label={t(media.paused ? 'viewer.player.play' : 'viewer.player.pause')}
        onClick={controls.toggle}
        testId="play"
      />
      <span className={classes.wide}>
        <IconButton
          icon={IconRewindBackward10}
          label={t('viewer.player.back')}
          onClick={() => controls.skip(-10)}
        />
        <IconButton
          icon={IconRewindForward10}
          label={t('viewer.player.forward')}
          onClick={() => controls.skip(10)}
        />
      </span>
      <Volume media={media} controls={controls} />
      <span className={`${classes.time} tabular`} data-testid="time">
        {clock(media.time)} / {clock(duration)}
      </span>
      <span className={classes.gap} />
      <TrackMenu {...props} />
      <SpeedMenu {...props} />
      {kind === 'video' && <PictureButtons {...props} />}
    </div>
  );
}

function Volume({ media, controls }: Pick<Props, 'media' | 'controls'>) {
  const { t } = useTranslation();
  const silent = media.muted || media.volume === 0;
  return (
    <span className={classes.volume}>
      <IconButton
        icon={silent ? IconVolume3 : media.volume < 0.5 ? IconVolume2 : IconVolume}
        label={t(silent ? 'viewer.player.unmute' : 'viewer.player.mute')}
        onClick={controls.mute}
        testId="mute"
      />
      <input
        type="range"
        min={0}
        max={100}
        step={5}
        value={Math.round(silent ? 0 : media.volume * 100)}
        onChange={(event) => controls.setVolume(Number(event.currentTarget.value) / 100)}
        aria-label={t('viewer.player.volume')}
        className={classes.loudness}
        data-testid="volume"
      />
    </span>
  );
}

/** The audio and subtitle menu, if there is a choice. */
function TrackMenu({ engine, subtitles, onMenu }: Props) {
  const { t, i18n } = useTranslation();
  const { sounds, sound } = engine.choices;
  const groups: Group[] = [];
  if (sounds.length > 1) {
    groups.push({
      label: t('viewer.player.sound'),
      value: String(sound),
      options: sounds.map(({ id, label, language }, index) => ({
        value: String(id),
        label: nameOf(label, language, i18n.language) || t('viewer.player.track', { number: index + 1 }),
      })),
      onChoose: (id) => engine.chooseSound(Number(id)),
    });
  }
  if (subtitles.tracks.length) {
    groups.push({
      label: t('viewer.player.subtitles'),
      value: String(subtitles.shown),
      options: [
        { value: '-1', label: t('viewer.player.off') },
        ...subtitles.tracks.map(({ name, language }, index) => ({
          value: String(index),
          label: nameOf(name, language, i18n.language),
        })),
      ],
      onChoose: (index) => subtitles.choose(Number(index)),
    });
  }
  if (!groups.length) return null;
  const label = t(
    !subtitles.tracks.length
      ? 'viewer.player.sound'
      : sounds.length > 1
        ? 'viewer.player.tracks'
        : 'viewer.player.subtitles',
  );
  const icon = subtitles.tracks.length ? IconBadgeCc : IconLanguage;
  return <ChoiceMenu icon={icon} label={label} testId="tracks" groups={groups} onOpen={onMenu} />;
}

function SpeedMenu({ media, controls, onMenu }: Props) {
  const { t, i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language);
  const group: Group = {
    label: t('viewer.player.speed'),
    value: String(media.speed),
    options: SPEEDS.map((speed) => ({
      value: String(speed),
      label: speed === 1 ? t('viewer.player.normal') : `${number.format(speed)}×`,
    })),
    onChoose: (speed) => controls.speed(Number(speed)),
  };
  return (
    <ChoiceMenu
      icon={IconGauge}
      label={t('viewer.player.speed')}
      testId="speed"
      groups={[group]}
      onOpen={onMenu}
    />
  );
}

/** Controls for films only: quality, picture in picture, full screen. */
function PictureButtons({ engine, media, controls, onMenu }: Props) {
  const { t } = useTranslation();
  const full = useFullscreenDocument().fullscreen;
  const { heights, height, playing } = engine.choices;
  const group: Group = {
    label: t('viewer.player.quality'),
    value: String(height ?? 'auto'),
    options: [
      {
        value: 'auto',
        label:
          height === null && playing
            ? t('viewer.player.autoNow', { height: playing })
            : t('viewer.player.auto'),
      },
      ...heights.map((one) => ({ value: String(one), label: t('viewer.player.height', { height: one }) })),
    ],
    onChoose: (value) => engine.chooseHeight(value === 'auto' ? null : Number(value)),
  };
  return (
    <>
      {heights.length > 0 && (
        <ChoiceMenu
          icon={IconSettings}
          label={t('viewer.player.quality')}
          testId="quality"
          groups={[group]}
          onOpen={onMenu}
        />
      )}
      {document.pictureInPictureEnabled && (
        <IconButton
          icon={IconPictureInPicture}
          label={t('viewer.player.pip')}
          aria-pressed={media.pip}
          onClick={controls.pip}
          testId="pip"
        />
      )}
      <IconButton
        icon={full ? IconMinimize : IconMaximize}
        label={t(full ? 'viewer.player.leaveFullscreen' : 'viewer.player.fullscreen')}
        onClick={controls.fullscreen}
        testId="fullscreen"
      />
    </>
  );
}

/** Returns a track's title, or the name of its language. */
function nameOf(name: string, language: string | null, reader: string): string {
  if (!language || (name && name !== language)) return name;
  try {
    return new Intl.DisplayNames(reader, { type: 'language' }).of(language) ?? name;
  } catch {
    return name || language;
  }
}
