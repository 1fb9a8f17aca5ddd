/** Reads Parquet with hyparquet, a reader that is not ours, into canonical rows (canonical-rows.ts). */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects, type FileMetaData } from 'hyparquet';
import type { ColumnType, RowSchema } from '../../src/codec/rows/row-schema.ts';
import { floatingPoint, type Canonical } from './canonical-rows.ts';

/** Values as they are stored: what the reader makes of them by default is less exact. */
const PARSERS = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8'),
};
const COMPRESSORS = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
};

/**
 * The rows of a file of that schema. Two things are less exact than in a canonical row: decimals are floating point, as the
 * reader has them, and maps are in the order of their keys.
 */
export async function readParquet(file: Uint8Array, { columns }: RowSchema): Promise<Canonical[]> {
  const rows = await parquetReadObjects({
    file: sliceOf(file),
    compressors: COMPRESSORS,
    parsers: PARSERS,
    utf8: false,
  });
  return rows.map((row) => columns.map(({ name, type }) => found(row[name], type)));
}

export function readParquetFooter(file: Uint8Array): FileMetaData {
  return parquetMetadata(sliceOf(file));
}

/** A canonical value with what `readParquet` cannot tell taken off. */
export function asRead(value: Canonical, type: ColumnType): Canonical {
  if (value === null) return null;
  if (type.kind === 'decimal') return floatingPoint(Number(value) * 10 ** -type.scale);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (type.kind === 'record') return type.columns.map((column, index) => asRead(value[index]!, column.type));
  if (type.kind === 'array') return value.map((item) => asRead(item, type.items.type));
  if (type.kind !== 'map') throw new RangeError(`a list where a ${type.kind} was expected`);
  return byKey((value as [string, Canonical][]).map(([key, entry]) => [key, asRead(entry, type.values.type)]));
}

function found(value: unknown, type: ColumnType): Canonical {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'boolean':
      return value as boolean;
    case 'int':
    case 'long':
    case 'date':
      return `${value as number | bigint}`;
    case 'decimal':
    case 'float':
    case 'double':
      return floatingPoint(value as number);
    case 'time':
    case 'timestamp':
      return String(BigInt(value as number | bigint) * (type.unit === 'millis' ? 1000n : 1n));
    case 'string':
    case 'uuid':
      return value as string;
    case 'enum':
      return Buffer.from(value as Uint8Array).toString('utf8');
    case 'bytes':
    case 'fixed':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'record':
      return type.columns.map((column) => found((value as Record<string, unknown>)[column.name], column.type));
    case 'array':
      return (value as unknown[]).map((item) => found(item, type.items.type));
    case 'map':
      return byKey(Object.entries(value).map(([key, entry]) => [key, found(entry, type.values.type)]));
  }
}

function byKey(entries: [string, Canonical][]): Canonical {
  return entries.sort(([one], [other]) => (one < other ? -1 : 1));
}

function sliceOf(file: Uint8Array): ArrayBuffer {
  return new Uint8Array(file).buffer;
}
