/** Formats sizes, times and speeds in the user's language, by Intl. */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** Formats bytes in units of 1024: `1.5 MB`. */
export function formatBytes(bytes: number, language: string): string {
  let value = Math.max(0, bytes);
  let step = 0;
  while (value >= 1023.95 && step < UNITS.length - 1) {
    value /= 1024;
    step += 1;
  }
  const digits = step === 0 || value >= 100 ? 0 : 1;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

/** Formats bytes per second. */
export function formatSpeed(bytesPerSecond: number, language: string): string {
  return `${formatBytes(bytesPerSecond, language)}/s`;
}

/** Formats a share of one as whole percent; 100 % only when complete. */
export function formatPercent(share: number, language: string): string {
  const shown = share < 1 ? Math.min(share, 0.99) : 1;
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(shown);
}

/** Formats seconds in their one or two largest units: `2 min 5 sec`. */
export function formatDuration(seconds: number, language: string): string {
  const whole = Math.max(1, Math.round(seconds));
  const parts: [number, 'hour' | 'minute' | 'second'][] =
    whole >= 3600
      ? [
          [Math.floor(whole / 3600), 'hour'],
          [Math.floor((whole % 3600) / 60), 'minute'],
        ]
      : whole >= 60
        ? [
            [Math.floor(whole / 60), 'minute'],
            [whole % 60, 'second'],
          ]
        : [[whole, 'second']];
  return parts
    .filter(([value], index) => value > 0 || index === 0)
    .map(([value, unit]) =>
      new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value),
    )
    .join(' ');
}

/** Formats a time as a date, with the time of day if it is within the last day. */
export function formatDate(moment: string, language: string, now = Date.now()): string {
  const date = new Date(moment);
  const recent = Math.abs(now - date.getTime()) < 20 * 3_600_000;
  return new Intl.DateTimeFormat(
    language,
    recent ? { hour: 'numeric', minute: '2-digit' } : { day: 'numeric', month: 'short', year: 'numeric' },
  ).format(date);
}

/** Formats a time in full, for tooltips. */
export function formatMoment(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(moment),
  );
}

const AGO: [number, Intl.RelativeTimeFormatUnit][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

/** Formats a time relative to now: `5 minutes ago`; as a date after a week. */
export function formatAgo(moment: string, language: string, now = Date.now()): string {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  if (seconds > 7 * 86_400) return formatDate(moment, language, now);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [length, unit] of AGO) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return relative.format(0, 'second');
}
