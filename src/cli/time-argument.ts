/**
 * A time as commands take it: how long ago (`90s`, `15m`, `2h`, `3d`, `1w`), a date or a date with a time (ISO 8601), or ms.
 * Without a zone it is UTC, as are the times that commands print.
 */
import { RemoteError } from './remote-error.ts';

export const TIME_HELP = '2h ago as 2h (s, m, h, d, w), or a time as 2026-03-01 or 2026-03-01T12:00 (UTC)';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/** Milliseconds since 1970; a date is its beginning. Throws RemoteError. */
export function parseTime(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return Math.max(0, now - Number(count) * UNIT_MS[unit]!);
  const [, date, clock = '00:00', zone = 'Z'] = DATE.exec(text) ?? [];
  const time = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(`${date}T${clock}${zone}`);
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw new RemoteError(`${text} is no time: ${TIME_HELP}`);
}
