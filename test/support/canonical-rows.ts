/**
 * Values of rows in a form of JSON in which equal values look equal and others do not, for holding what was written against
 * what a reader in any language has found: numbers as their digits, floating point as the bytes in hex (all NaN alike), times
 * in microseconds, bytes in hex, records and maps as lists.
 */
import type { ColumnType, Row, RowRecord, RowSchema, RowValue } from '../../src/codec/rows/row-schema.ts';

export type Canonical = null | boolean | string | readonly Canonical[];

export function canonicalRow(row: Row, { columns }: RowSchema): readonly Canonical[] {
  return columns.map(({ type }, index) => canonical(row[index]!, type));
}

export function canonical(value: RowValue, type: ColumnType): Canonical {
  if (value === null) return null;
  switch (type.kind) {
    case 'boolean':
      return value as boolean;
    case 'int':
    case 'long':
    case 'date':
    case 'decimal':
      return `${value as number | bigint}`;
    case 'time':
    case 'timestamp':
      return String(BigInt(value as number | bigint) * (type.unit === 'millis' ? 1000n : 1n));
    case 'float':
    case 'double':
      return floatingPoint(value as number);
    case 'string':
    case 'enum':
    case 'uuid':
      return value as string;
    case 'bytes':
    case 'fixed':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'record':
      return type.columns.map((column) => canonical((value as RowRecord)[column.name]!, column.type));
    case 'array':
      return (value as readonly RowValue[]).map((item) => canonical(item, type.items.type));
    case 'map':
      return [...(value as ReadonlyMap<string, RowValue>)].map(([key, entry]) => [
        key,
        canonical(entry, type.values.type),
      ]);
  }
}

export function floatingPoint(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}
