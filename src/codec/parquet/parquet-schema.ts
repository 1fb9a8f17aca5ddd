/**
 * The schema of rows as Parquet has it: groups and leaves, lists and maps in their three levels. Whatever is below a column
 * that is null or a list that is empty is told by levels, see shredder.ts.
 */
import type { Column, ColumnType, RowSchema } from '../rows/row-schema.ts';
import { ConvertedType, PhysicalType, Repetition } from './format.ts';
import { binary, bool, i32, list, struct, type Thrift } from './thrift.ts';

/** A column that has values of its own. */
export interface LeafColumn {
  readonly type: LeafType;
  readonly physical: PhysicalType;
  /** Bytes of each value of a fixed column, 0 for others. */
  readonly length: number;
  readonly path: readonly string[];
  /** The level of a value that is there. */
  readonly definition: number;
  /** How many lists and maps it is in. */
  readonly repetition: number;
}

export type LeafType = Exclude<ColumnType, { readonly kind: 'record' | 'array' | 'map' }>;

export interface ParquetSchema {
  /** SchemaElements, depth first, as the footer has them. */
  readonly elements: Thrift;
  /** In the order in which a row is walked. */
  readonly leaves: readonly LeafColumn[];
}

const ROOT = 'schema';

/** Throws RangeError for a record without columns: Parquet has none. */
export function parquetSchema({ columns }: RowSchema): ParquetSchema {
  const elements: Thrift[] = [group(ROOT, columns.length, undefined)];
  const leaves: LeafColumn[] = [];
  checkColumns(columns, ROOT);
  for (const column of columns) addColumn(elements, leaves, column, { path: [], definition: 0, repetition: 0 });
  return { elements: list(elements), leaves };
}

interface Place {
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

function addColumn(elements: Thrift[], leaves: LeafColumn[], column: Column, at: Place): void {
  const { name, type, nullable } = column;
  const repetition = nullable ? Repetition.optional : Repetition.required;
  const path = [...at.path, name];
  const here = { ...at, path, definition: at.definition + (nullable ? 1 : 0) };
  if (type.kind === 'record') {
    checkColumns(type.columns, path.join('.'));
    elements.push(group(name, type.columns.length, repetition));
    for (const member of type.columns) addColumn(elements, leaves, member, here);
  } else if (type.kind === 'array') {
    elements.push(group(name, 1, repetition, ConvertedType.list, { 3: struct({}) }));
    elements.push(group('list', 1, Repetition.repeated));
    addColumn(elements, leaves, { ...type.items, name: 'element' }, inside(here, 'list'));
  } else if (type.kind === 'map') {
    elements.push(group(name, 1, repetition, ConvertedType.map, { 2: struct({}) }));
    elements.push(group('key_value', 2, Repetition.repeated));
    const entry = inside(here, 'key_value');
    addColumn(elements, leaves, { name: 'key', type: { kind: 'string' }, nullable: false }, entry);
    addColumn(elements, leaves, { ...type.values, name: 'value' }, entry);
  } else {
    const { physical, length = 0, annotation } = leafForm(type);
    const size = length > 0 ? i32(length) : undefined;
    elements.push(struct({ 1: i32(physical), 2: size, 3: i32(repetition), 4: binary(name), ...annotation }));
    leaves.push({ type, physical, length, path, definition: here.definition, repetition: here.repetition });
  }
}

/** In the repeated group of a list or map. */
function inside({ path, definition, repetition }: Place, name: string): Place {
  return { path: [...path, name], definition: definition + 1, repetition: repetition + 1 };
}

function checkColumns(columns: readonly Column[], where: string): void {
  if (columns.length === 0) throw new RangeError(`${where} has no columns`);
}

function group(
  name: string,
  children: number,
  repetition: Repetition | undefined,
  converted?: number,
  logical?: Readonly<Record<number, Thrift>>,
): Thrift {
  return struct({
    3: repetition === undefined ? undefined : i32(repetition),
    4: binary(name),
    5: i32(children),
    6: converted === undefined ? undefined : i32(converted),
    10: logical === undefined ? undefined : struct(logical),
  });
}

interface LeafForm {
  readonly physical: PhysicalType;
  readonly length?: number;
  /** Fields of the SchemaElement from 6 on. */
  readonly annotation?: Readonly<Record<number, Thrift>>;
}

function leafForm(type: LeafType): LeafForm {
  switch (type.kind) {
    case 'boolean':
      return { physical: PhysicalType.boolean };
    case 'int':
      return { physical: PhysicalType.int32 };
    case 'long':
      return { physical: PhysicalType.int64 };
    case 'float':
      return { physical: PhysicalType.float };
    case 'double':
      return { physical: PhysicalType.double };
    case 'bytes':
      return { physical: PhysicalType.byteArray };
    case 'fixed':
      return { physical: PhysicalType.fixed, length: type.size };
    case 'string':
      return { physical: PhysicalType.byteArray, annotation: annotate(ConvertedType.utf8, 1, {}) };
    case 'enum':
      return { physical: PhysicalType.byteArray, annotation: annotate(ConvertedType.enum, 4, {}) };
    case 'uuid':
      return { physical: PhysicalType.fixed, length: 16, annotation: annotate(undefined, 14, {}) };
    case 'date':
      return { physical: PhysicalType.int32, annotation: annotate(ConvertedType.date, 6, {}) };
    case 'time': {
      const millis = type.unit === 'millis';
      const converted = millis ? ConvertedType.timeMillis : ConvertedType.timeMicros;
      return {
        physical: millis ? PhysicalType.int32 : PhysicalType.int64,
        annotation: annotate(converted, 7, { 1: bool(false), 2: unitOf(type.unit) }),
      };
    }
    case 'timestamp': {
      const converted = type.unit === 'millis' ? ConvertedType.timestampMillis : ConvertedType.timestampMicros;
      const logical = { 1: bool(type.utc), 2: unitOf(type.unit) };
      return { physical: PhysicalType.int64, annotation: annotate(converted, 8, logical) };
    }
    case 'decimal': {
      const { precision, scale } = type;
      const logical = { 1: i32(scale), 2: i32(precision) };
      const annotation = { ...annotate(ConvertedType.decimal, 5, logical), 7: i32(scale), 8: i32(precision) };
      if (precision <= 9) return { physical: PhysicalType.int32, annotation };
      if (precision <= 18) return { physical: PhysicalType.int64, annotation };
      return { physical: PhysicalType.fixed, length: decimalBytes(precision), annotation };
    }
  }
}

function annotate(
  converted: number | undefined,
  logical: number,
  parameters: Readonly<Record<number, Thrift>>,
): Readonly<Record<number, Thrift>> {
  return {
    ...(converted === undefined ? {} : { 6: i32(converted) }),
    10: struct({ [logical]: struct(parameters) }),
  };
}

function unitOf(unit: 'millis' | 'micros'): Thrift {
  return struct({ [unit === 'millis' ? 1 : 2]: struct({}) });
}

/** Of the smallest signed number that holds as many decimal digits. */
function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision);
  let bytes = 1;
  while (1n << BigInt(bytes * 8 - 1) < largest) bytes += 1;
  return bytes;
}
