/**
 * What the columns of a file are: the common ground of what says it (an Avro schema, or records themselves) and what
 * writes it (CSV, Parquet). Plain data: it is stored as JSON and sent between threads.
 */

export type ColumnType =
  | { readonly kind: 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' | 'uuid' }
  /** Days since 1970. */
  | { readonly kind: 'date' }
  /** Since midnight. */
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  /** Since 1970; `utc` false: of a wall clock whose zone is not known. */
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'record'; readonly columns: readonly Column[] }
  | { readonly kind: 'array'; readonly items: Column }
  | { readonly kind: 'map'; readonly values: Column };

export type TimeUnit = 'millis' | 'micros';

export interface Column {
  /** Of an array's items `element`, of a map's values `value`. */
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Other names that the member may have in a record; the column's own counts first. */
  readonly aliases?: readonly string[];
  /** What a record that lacks the member has instead, as a record would have it in JSON; absent: there is no default. */
  readonly default?: unknown;
}

/** Of a schema: columns at all levels together, and levels of records, arrays and maps in each other. */
export const MAX_COLUMNS = 2000;
export const MAX_NESTING = 32;

export interface RowSchema {
  /** At least one; names differ. */
  readonly columns: readonly Column[];
  /** What the records were written in in which the columns were found; absent when they were told. */
  readonly foundIn?: RowSource;
}

/** What the records of a stream are written in. */
export type RowSource = 'JSON' | 'CSV';

/**
 * A value by its column's kind:
 *   boolean boolean · int, float, double number · long bigint · string, uuid, enum string · bytes, fixed Uint8Array ·
 *   date number · time number (millis) or bigint (micros) · timestamp bigint · decimal bigint (unscaled) ·
 *   record a RowRecord · array RowValue[] · map Map<string, RowValue>; null where the column is nullable.
 */
export type RowValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly RowValue[]
  | ReadonlyMap<string, RowValue>
  | RowRecord;

/** Members by the names of the columns, every one of them present as a member of its own (`__proto__` among them). */
export interface RowRecord {
  readonly [column: string]: RowValue;
}

/** One record: the value of each column, in the order of the schema. */
export type Row = readonly RowValue[];

/** Whether a column at any level is of a type that `test` says yes to. */
export function someColumn({ columns }: RowSchema, test: (type: ColumnType) => boolean): boolean {
  return columns.some(({ type }) => test(type) || someColumn({ columns: columnsWithin(type) }, test));
}

/** The columns that a type has directly below it. */
export function columnsWithin(type: ColumnType): readonly Column[] {
  if (type.kind === 'record') return type.columns;
  if (type.kind === 'array') return [type.items];
  return type.kind === 'map' ? [type.values] : [];
}
