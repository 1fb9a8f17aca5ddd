/** The time that a record gives itself: 13 digits of milliseconds, or text in one of six formats. */
import { describeFound } from '../../codec/rows/found.ts';
import { parseDate, parseTime } from '../../codec/rows/time-text.ts';
import { ConversionError } from '../../model/conversion-error.ts';
import type { RecordTimeSource, TimestampFormat } from '../settings/settings.ts';
import { memberReader, type Members } from './member.ts';
import { instantOf, type TimeZone } from './time-zone.ts';

const LEAST_MS = 1_000_000_000_000;
const MOST_MS = 9_999_999_999_999;
const DAY_MS = 86_400_000;
/** Of each of the formats, before the space. */
const DATE_LENGTH = 10;
/** Exactly 13 digits that do not begin with 0. */
const TIMESTAMP = /^[1-9]\d{12}$/;

/**
 * Reads the time of a record in ms; text is what a clock of `zone` shows. Throws ConversionError when the record has no
 * such member, or something else there.
 */
export function recordTimeReader({ field, format }: RecordTimeSource, zone: TimeZone): (members: Members) => number {
  const read = memberReader(field);
  const parse = format === undefined ? parseTimestamp : textParser(format);
  const form = format === undefined ? 'a timestamp of 13 digits' : `a time as ${format}`;
  return (members) => {
    const value = read(members);
    const time = parse(value);
    if (time === undefined) {
      const what = value === undefined ? 'is missing' : `is ${describeFound(value)}`;
      throw new ConversionError(`member ${field} ${what}, and must be ${form}`);
    }
    return format === undefined ? time : instantOf(zone, time);
  };
}

function parseTimestamp(value: unknown): number | undefined {
  let time = Number.NaN;
  if (typeof value === 'number') time = value;
  else if (typeof value === 'string' && TIMESTAMP.test(value)) time = Number(value);
  return time >= LEAST_MS && time <= MOST_MS && Number.isInteger(time) ? time : undefined;
}

/** Makes what reads a wall time; undefined for what is not exactly such a text, or a day that no calendar has. */
function textParser(format: TimestampFormat): (value: unknown) => number | undefined {
  const [year, month, day] = [format.indexOf('yyyy'), format.indexOf('MM'), format.indexOf('dd')];
  const separator = format.includes('/') ? '/' : '-';
  const separators = [...format.slice(0, DATE_LENGTH)].flatMap((sign, index) => (sign === separator ? [index] : []));
  // Neighbours are often of the same day.
  let newest: { readonly text: string; readonly days: number | undefined } = { text: '', days: undefined };
  const daysOf = (text: string) => {
    for (const index of separators) if (text[index] !== separator) return undefined;
    const part = (start: number, length: number) => text.slice(start, start + length);
    return parseDate(`${part(year, 4)}-${part(month, 2)}-${part(day, 2)}`);
  };
  return (value) => {
    if (typeof value !== 'string' || value.length !== format.length || value[DATE_LENGTH] !== ' ') return undefined;
    const text = value.slice(0, DATE_LENGTH);
    if (text !== newest.text) newest = { text, days: daysOf(text) };
    const clock = parseTime(value.slice(DATE_LENGTH + 1), 'millis');
    return newest.days === undefined || clock === undefined ? undefined : newest.days * DAY_MS + clock;
  };
}
