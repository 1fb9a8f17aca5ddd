/**
 * Dates and times as ISO 8601 writes them, of the years 1 to 9999. `2026-02-30` is no date and `24:00` no time. Digits
 * beyond the unit of a column are dropped, so that clocks of nanoseconds can be read.
 */
import type { TimeUnit } from './row-schema.ts';

const DAY_SECONDS = 86_400;
/** 0001-01-01 and 10000-01-01 in days since 1970: inclusive and exclusive. */
export const FIRST_DAY = -719_162;
export const END_DAY = 2_932_897;
/** Days from 0000-03-01 to 1970-01-01, and of the 400 years after which the calendar repeats itself. */
const EPOCH_SHIFT = 719_468;
const ERA_DAYS = 146_097;
/** Characters of yyyy-MM-dd and of yyyy-MM-ddTHH:mm. */
const DATE_LENGTH = 10;
const MINUTES_LENGTH = 16;

/** Days since 1970 of `yyyy-MM-dd`. */
export function parseDate(text: string): number | undefined {
  return text.length === DATE_LENGTH ? dateAt(text) : undefined;
}

/** Since midnight, of `HH:mm`, `HH:mm:ss` or `HH:mm:ss.fff…`. */
export function parseTime(text: string, unit: TimeUnit): number | undefined {
  const micros = clockMicros(text, 0, text.length);
  return micros === undefined || unit === 'micros' ? micros : Math.floor(micros / 1000);
}

/**
 * Since 1970, of a date and a time with a `T` or a space between. With `utc` an offset (`Z`, `+01:00`, `+0100`, `+01`) may
 * follow and an absent one means UTC; without, there may be none.
 */
export function parseTimestamp(text: string, unit: TimeUnit, utc: boolean): bigint | undefined {
  const days = dateAt(text);
  if (days === undefined || (text[DATE_LENGTH] !== 'T' && text[DATE_LENGTH] !== ' ')) return undefined;
  const zone = zoneStart(text);
  const clock = clockMicros(text, DATE_LENGTH + 1, zone);
  const offset = zone === text.length ? 0 : utc ? offsetMinutes(text, zone) : undefined;
  if (clock === undefined || offset === undefined) return undefined;
  const seconds = days * DAY_SECONDS + Math.floor(clock / 1_000_000) - offset * 60;
  if (seconds < FIRST_DAY * DAY_SECONDS || seconds >= END_DAY * DAY_SECONDS) return undefined;
  const micros = clock % 1_000_000;
  if (unit === 'millis') return BigInt(seconds * 1000 + Math.floor(micros / 1000));
  return BigInt(seconds) * 1_000_000n + BigInt(micros);
}

/** `yyyy-MM-dd` of days since 1970. */
export function formatDate(days: number): string {
  // The inverse of daysSince1970: the year of the 400-year era, then the month counted from March.
  const shifted = days + EPOCH_SHIFT;
  const era = Math.floor(shifted / ERA_DAYS);
  const ofEra = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${twoDigits(Math.floor(year / 100))}${twoDigits(year % 100)}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** `HH:mm:ss.SSS`, with micros six digits. */
export function formatTime(sinceMidnight: number | bigint, unit: TimeUnit): string {
  const time = Number(sinceMidnight);
  const perSecond = unit === 'millis' ? 1000 : 1_000_000;
  const second = Math.floor(time / perSecond);
  const minute = Math.floor(second / 60);
  const clock = `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}:${twoDigits(second % 60)}`;
  return `${clock}.${String(time % perSecond).padStart(unit === 'millis' ? 3 : 6, '0')}`;
}

/** `yyyy-MM-ddTHH:mm:ss.SSS`, with micros six digits, and `Z` with `utc`. */
export function formatTimestamp(since1970: bigint, unit: TimeUnit, utc: boolean): string {
  const perDay = unit === 'millis' ? DAY_SECONDS * 1000 : DAY_SECONDS * 1_000_000;
  const exact = Number(since1970);
  const days = Number.isSafeInteger(exact) ? Math.floor(exact / perDay) : floorDivide(since1970, BigInt(perDay));
  const ofDay = Number.isSafeInteger(exact) ? exact - days * perDay : Number(since1970 - BigInt(days) * BigInt(perDay));
  return `${formatDate(days)}T${formatTime(ofDay, unit)}${utc ? 'Z' : ''}`;
}

function floorDivide(value: bigint, by: bigint): number {
  const quotient = value / by;
  return Number(quotient * by > value ? quotient - 1n : quotient);
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** Days of the date that `text` begins with. */
function dateAt(text: string): number | undefined {
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || text[4] !== '-' || text[7] !== '-') return undefined;
  return day <= daysOfMonth(year, month) ? daysSince1970(year, month, day) : undefined;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Of the Gregorian calendar; the year is counted from March, so that its leap day is the last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - EPOCH_SHIFT;
}

function clockMicros(text: string, start: number, end: number): number | undefined {
  const hour = digitsAt(text, start, 2);
  const minute = digitsAt(text, start + 3, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || text[start + 2] !== ':') return undefined;
  const micros = (hour * 3600 + minute * 60) * 1_000_000;
  if (end === start + 5) return micros;
  const second = digitsAt(text, start + 6, 2);
  if (second < 0 || second > 59 || text[start + 5] !== ':') return undefined;
  if (end === start + 8) return micros + second * 1_000_000;
  const mark = text[start + 8];
  if ((mark !== '.' && mark !== ',') || end === start + 9) return undefined;
  let fraction = 0;
  for (let at = start + 9, unit = 100_000; at < end; at += 1, unit /= 10) {
    const digit = digitsAt(text, at, 1);
    if (digit < 0) return undefined;
    if (unit >= 1) fraction += digit * unit;
  }
  return micros + second * 1_000_000 + fraction;
}

/** Index of what tells the zone of a date with a time; the length of the text when nothing does. */
function zoneStart(text: string): number {
  for (let at = MINUTES_LENGTH; at < text.length; at += 1) {
    const character = text[at];
    if (character === 'Z' || character === 'z' || character === '+' || character === '-') return at;
  }
  return text.length;
}

function offsetMinutes(text: string, at: number): number | undefined {
  const sign = text[at];
  const length = text.length - at;
  if (sign === 'Z' || sign === 'z') return length === 1 ? 0 : undefined;
  const colon = text[at + 3] === ':' ? 1 : 0;
  if (length !== 3 && length !== 5 + colon) return undefined;
  const hours = digitsAt(text, at + 1, 2);
  const minutes = length === 3 ? 0 : digitsAt(text, at + 3 + colon, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return (hours * 60 + minutes) * (sign === '-' ? -1 : 1);
}

/** The number that `count` digits make; -1 when they are not all digits. */
function digitsAt(text: string, start: number, count: number): number {
  let number = 0;
  for (let at = start; at < start + count; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    // Also false for NaN, past the end.
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}
