/** Reduces a waveform to bars: each the maximum of its section, scaled from 0 to 1. */
export function barsOf(peaks: readonly number[], most: number): number[] {
  const count = Math.min(most, peaks.length);
  const bars = Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    return Math.max(...peaks.slice(from, to));
  });
  const loudest = Math.max(...bars, 1);
  return bars.map((bar) => bar / loudest);
}
