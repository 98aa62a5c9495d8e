import { useMemo } from 'react';
import { barsOf } from '../model/waveform-bars';
import classes from './waveform.module.css';

const BARS = 140;

/** The waveform of an audio file; the played part is highlighted. */
export function Waveform({ peaks, share }: { peaks: readonly number[]; share: number }) {
  const path = useMemo(() => {
    const bars = barsOf(peaks, BARS);
    return bars
      .map((bar, index) => {
        const height = Math.max(2, bar * 96);
        return `M${((index + 0.5) * 1000) / bars.length} ${50 - height / 2}v${height}`;
      })
      .join('');
  }, [peaks]);
  return (
    <div className={classes.wave} data-testid="waveform" aria-hidden="true">
      <WavePath path={path} />
      <div className={classes.played} style={{ clipPath: `inset(0 ${100 - share * 100}% 0 0)` }}>
        <WavePath path={path} />
      </div>
    </div>
  );
}

function WavePath({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 1000 100" preserveAspectRatio="none" className={classes.drawn} aria-hidden="true">
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
