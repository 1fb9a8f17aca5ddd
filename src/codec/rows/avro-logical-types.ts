/**
 * Avro's logical types as types of columns. One that is not known, or stands on a type that it is not made for, is
 * ignored, as Avro says. A decimal whose numbers make no sense is not: bytes in its place would help nobody.
 */
import type { ColumnType } from './row-schema.ts';

/** What a decimal may have in Parquet and its readers. */
export const MAX_PRECISION = 38;

type Base = ColumnType['kind'];

const PLAIN: Readonly<Record<string, readonly [Base, ColumnType]>> = {
  date: ['int', { kind: 'date' }],
  'time-millis': ['int', { kind: 'time', unit: 'millis' }],
  'time-micros': ['long', { kind: 'time', unit: 'micros' }],
  'timestamp-millis': ['long', { kind: 'timestamp', unit: 'millis', utc: true }],
  'timestamp-micros': ['long', { kind: 'timestamp', unit: 'micros', utc: true }],
  'local-timestamp-millis': ['long', { kind: 'timestamp', unit: 'millis', utc: false }],
  'local-timestamp-micros': ['long', { kind: 'timestamp', unit: 'micros', utc: false }],
};

/** The type that `schema`, an Avro schema of type `base`, is meant to have; a text says what is wrong with it. */
export function logicalType(schema: Readonly<Record<string, unknown>>, base: ColumnType): ColumnType | string {
  const { logicalType: name } = schema;
  if (typeof name !== 'string') return base;
  if (name === 'decimal') return decimal(schema, base);
  if (name === 'uuid') return isUuidBase(base) ? { kind: 'uuid' } : base;
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  return plain?.[0] === base.kind ? plain[1] : base;
}

function isUuidBase(base: ColumnType): boolean {
  return base.kind === 'string' || (base.kind === 'fixed' && base.size === 16);
}

function decimal({ precision, scale = 0 }: Readonly<Record<string, unknown>>, base: ColumnType): ColumnType | string {
  if (base.kind !== 'bytes' && base.kind !== 'fixed') return base;
  const max = base.kind === 'fixed' ? Math.min(MAX_PRECISION, digitsOf(base.size)) : MAX_PRECISION;
  if (!isWhole(precision, 1, max)) return `precision must be a whole number from 1 to ${max}`;
  if (!isWhole(scale, 0, precision)) return `scale must be a whole number from 0 to ${precision}`;
  return { kind: 'decimal', precision, scale };
}

/** Digits that every number of so many bytes has room for. */
function digitsOf(bytes: number): number {
  return Math.floor((8 * bytes - 1) * Math.log10(2));
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
