/** When a link expires, as the form offers it. */

/** The choices of the form. */
export const EXPIRIES = ['never', 'day', 'week', 'month', 'chosen'] as const;

/** One of `EXPIRIES`. */
export type Expiry = (typeof EXPIRIES)[number];

const DAYS = { day: 1, week: 7, month: 30 };

/** Returns the moment of a choice in ISO 8601, `null` for never; `moment` is a local date and time. */
export function expiresAt(choice: Expiry, moment: string, now = Date.now()): string | null {
  if (choice === 'never') return null;
  if (choice === 'chosen') return new Date(moment).toISOString();
  return new Date(now + DAYS[choice] * 86_400_000).toISOString();
}

/** Returns what is wrong with a local date and time, if anything. */
export function momentFault(moment: string, now = Date.now()): 'noMoment' | 'past' | null {
  const time = new Date(moment).getTime();
  if (Number.isNaN(time)) return 'noMoment';
  return time <= now ? 'past' : null;
}

/** Returns a moment as a local date and time for an `<input type="datetime-local">`. */
export function localMoment(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
