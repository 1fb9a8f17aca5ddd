/**
 * Brings one value of a record into the form that its column has (RowValue), for columns that are no records, arrays or
 * maps. A value comes as JSON or an ExactNumber, or as the text of a CSV field. Spaces around a text that stands for
 * something else are ignored. docs/PROTOCOL.md tells what is taken.
 */
import { parseDecimal } from './decimal-text.ts';
import { ExactNumber } from './exact-number.ts';
import type { ColumnType, RowSource, RowValue, TimeUnit } from './row-schema.ts';
import { END_DAY, FIRST_DAY, parseDate, parseTime, parseTimestamp } from './time-text.ts';

export type ScalarType = Exclude<ColumnType, { readonly kind: 'record' | 'array' | 'map' }>;

export interface Scalar {
  /** What the column takes, to follow the word "expected". */
  readonly expected: string;
  /** Undefined for a value that the column does not take; null is none of its business. */
  readonly convert: (value: unknown) => RowValue | undefined;
}

const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;
const LONG_MIN = -0x8000_0000_0000_0000n;
const LONG_MAX = 0x7fff_ffff_ffff_ffffn;
const LONG_DIGITS = 19;
/** What rounds to more than the largest float lies from here on. */
const FLOAT_END = 2 ** 128 - 2 ** 103;
const DAY_MILLIS = 86_400_000;
const MICROS = 1000;

export function scalarOf(type: ScalarType, source: RowSource): Scalar {
  const csv = source === 'CSV';
  switch (type.kind) {
    case 'boolean':
      return { expected: 'true or false', convert: csv ? booleanOfText : booleanOf };
    case 'int': {
      const number = csv ? numberOfText : numberOf;
      return { expected: 'a whole number of 32 bits', convert: (value) => intOf(number(value)) };
    }
    case 'long':
      return { expected: 'a whole number of 64 bits', convert: longOf };
    case 'float': {
      const double = csv ? doubleOfText : doubleOf;
      return { expected: 'a number that a float holds', convert: (value) => floatOf(double(value)) };
    }
    case 'double':
      return { expected: 'a number', convert: csv ? doubleOfText : doubleOf };
    case 'decimal': {
      const { precision, scale } = type;
      const expected = `a number of at most ${precision - scale} digits before the point and ${scale} after`;
      return { expected, convert: (value) => decimalOf(value, precision, scale) };
    }
    case 'string':
      return { expected: 'a string of well-formed Unicode', convert: stringOf };
    case 'enum': {
      const symbols = new Set<unknown>(type.symbols);
      const expected = `one of ${listed(type.symbols)}`;
      return { expected, convert: (value) => (symbols.has(value) ? (value as string) : undefined) };
    }
    case 'bytes':
      return { expected: `a string${OF_BYTES}`, convert: bytesOf };
    case 'fixed': {
      const { size } = type;
      const convert = (value: unknown) => (isText(value, size) ? bytesOf(value) : undefined);
      return { expected: `a string of ${size} characters${OF_BYTES}`, convert };
    }
    case 'uuid':
      return { expected: 'a UUID', convert: uuidOf };
    case 'date':
      return { expected: 'a date as yyyy-MM-dd or a number of days', convert: dateOf };
    case 'time': {
      const { unit } = type;
      const expected = `a time as HH:mm:ss or a number of ${WORDS[unit]}`;
      return { expected, convert: (value) => timeOf(value, unit) };
    }
    case 'timestamp': {
      const { unit, utc } = type;
      const text = utc ? 'a time in ISO 8601' : 'a time in ISO 8601 without an offset';
      const expected = `${text} or a number of ${WORDS[unit]}, of the years 1 to 9999`;
      return { expected, convert: timestampConverter(unit, utc) };
    }
  }
}

const OF_BYTES = ', each of them a byte (U+0000 to U+00FF)';
const WORDS = { millis: 'milliseconds', micros: 'microseconds' } as const;
const MAX_LISTED = 100;

function listed(symbols: readonly string[]): string {
  const text = symbols.join(', ');
  return text.length <= MAX_LISTED ? text : `${text.slice(0, MAX_LISTED)}…`;
}

/** NaN for what is no number. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return value instanceof ExactNumber ? value.valueOf() : Number.NaN;
}

/** NaN for what is no number; Number itself takes nothing, 0x10 and the like for numbers. */
function numberOfText(value: unknown): number {
  const number = Number(value);
  if (number === 0 && textOf(value) === '') return Number.NaN;
  return Number.isNaN(number) || /^0[xob]/i.test(textOf(value)) ? Number.NaN : number;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

function booleanOf(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function booleanOfText(value: unknown): boolean | undefined {
  const word = textOf(value).toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

function intOf(number: number): number | undefined {
  return Number.isInteger(number) && number >= INT_MIN && number <= INT_MAX ? number : undefined;
}

/** JSON has no NaN and no Infinity: they come as text. A number that is too large for a double is refused. */
function doubleOf(value: unknown): number | undefined {
  if (typeof value === 'string') return notFinite(value);
  const number = numberOf(value);
  return Number.isFinite(number) ? number : undefined;
}

function doubleOfText(value: unknown): number | undefined {
  const number = numberOfText(value);
  return Number.isFinite(number) ? number : notFinite(textOf(value));
}

function notFinite(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  return text === 'Infinity' ? Infinity : text === '-Infinity' ? -Infinity : undefined;
}

function floatOf(number: number | undefined): number | undefined {
  return number !== undefined && Math.abs(number) >= FLOAT_END && Number.isFinite(number) ? undefined : number;
}

/** From a number, or from digits in a string: so is a long written by those who know that JavaScript reads it. */
function longOf(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  const text = value instanceof ExactNumber || typeof value === 'number' ? String(value) : value;
  const long = typeof text === 'string' ? parseDecimal(text, LONG_DIGITS, 0) : undefined;
  return long !== undefined && long >= LONG_MIN && long <= LONG_MAX ? long : undefined;
}

/** Up to 15 digits of a number come back from a double as they were written; those with more are exact. */
function decimalOf(value: unknown, precision: number, scale: number): bigint | undefined {
  if (typeof value === 'string') return parseDecimal(value, precision, scale);
  if (typeof value !== 'number' && !(value instanceof ExactNumber)) return undefined;
  return parseDecimal(String(value), precision, scale);
}

/** Files of rows are UTF-8 throughout, which has no half of a surrogate pair. */
function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.isWellFormed() ? value : undefined;
}

function isText(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length;
}

/** As Avro has bytes in JSON: the character U+0000 … U+00FF of each byte. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  for (let at = 0; at < value.length; at += 1) if (value.charCodeAt(at) > 0xff) return undefined;
  return Buffer.from(value, 'latin1');
}

const UUID = /^\s*[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\s*$/i;

function uuidOf(value: unknown): string | undefined {
  return typeof value === 'string' && UUID.test(value) ? value.trim().toLowerCase() : undefined;
}

function dateOf(value: unknown): number | undefined {
  const parsed = typeof value === 'string' ? parseDate(value.trim()) : undefined;
  if (parsed !== undefined) return parsed;
  const days = longOf(value);
  return days !== undefined && days >= FIRST_DAY && days < END_DAY ? Number(days) : undefined;
}

function timeOf(value: unknown, unit: TimeUnit): number | bigint | undefined {
  const parsed = typeof value === 'string' ? parseTime(value.trim(), unit) : undefined;
  const time = parsed ?? longOf(value);
  const end = unit === 'millis' ? DAY_MILLIS : DAY_MILLIS * MICROS;
  if (time === undefined || time < 0 || time >= end) return undefined;
  return unit === 'millis' ? Number(time) : BigInt(time);
}

function timestampConverter(unit: TimeUnit, utc: boolean): Scalar['convert'] {
  const day = BigInt(unit === 'millis' ? DAY_MILLIS : DAY_MILLIS * MICROS);
  const first = BigInt(FIRST_DAY) * day;
  const end = BigInt(END_DAY) * day;
  return (value) => {
    const parsed = typeof value === 'string' ? parseTimestamp(value.trim(), unit, utc) : undefined;
    const time = parsed ?? longOf(value);
    return time !== undefined && time >= first && time < end ? time : undefined;
  };
}
