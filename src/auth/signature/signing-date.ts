/** `X-Sdk-Date`: when a request was signed, to the second, in UTC. */
import { DomainError } from '../../model/errors.ts';

/** How far a client's clock may be from ours, either way; this far is still good. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

const FORM = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * The header, once it is found good at `now` (ms since 1970). Throws SignatureDateMissing, SignatureDateUnreadable, and
 * SignatureDateInvalid for a time too far from `now`.
 */
export function checkSigningDate(header: string | undefined, now: number): string {
  if (header === undefined || header === '') throw new DomainError('SignatureDateMissing');
  const [, ...parts] = FORM.exec(header) ?? [];
  const time = readTime(parts.map(Number));
  if (time === undefined) throw new DomainError('SignatureDateUnreadable', [header.slice(0, 32)]);
  if (Math.abs(now - time) > MAX_SKEW_MS) throw new DomainError('SignatureDateInvalid', [header]);
  return header;
}

/** Undefined for what no calendar and no clock shows: Date.UTC would go on counting. */
function readTime([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]):
  number | undefined {
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}
