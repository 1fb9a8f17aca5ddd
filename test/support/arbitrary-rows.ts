/**
 * Schemas and rows of any shape: every kind of column, nested and nullable, and the values that are at the edge of each: ±0,
 * NaN, the smallest and largest numbers, texts with emoji, empty and missing lists, times before 1970.
 */
import fc from 'fast-check';
import type { Column, ColumnType, Row, RowRecord, RowSchema, RowValue } from '../../src/codec/rows/row-schema.ts';

export interface Table {
  readonly schema: RowSchema;
  readonly rows: readonly Row[];
}

/** `maxRows` inclusive. */
export function tables(maxRows: number): fc.Arbitrary<Table> {
  return rowSchemas().chain((schema) =>
    fc.record({ schema: fc.constant(schema), rows: fc.array(rowsOf(schema), { maxLength: maxRows, size: 'max' }) }),
  );
}

export function rowSchemas(): fc.Arbitrary<RowSchema> {
  return columnsOf(3, 5).map((columns) => ({ columns }));
}

export function rowsOf({ columns }: RowSchema): fc.Arbitrary<Row> {
  return fc.tuple(...columns.map(cellsOf));
}

/** Names differ also where case does not count, as for DuckDB. */
function columnsOf(depth: number, most: number): fc.Arbitrary<Column[]> {
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constant('c') },
    { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
  );
  return fc
    .array(fc.tuple(name, typesOf(depth), fc.boolean()), { minLength: 1, maxLength: most })
    .map((parts) => parts.map(([start, type, nullable], index) => ({ name: `${start}${index}`, type, nullable })));
}

const NAMES = ['a.b', 'with space', 'ünï', '😀', 'key', 'element', 'list', 'select', '"', "'", '_'];

function typesOf(depth: number): fc.Arbitrary<ColumnType> {
  const leaf = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...PLAIN_TYPES) }, decimals(), fixeds());
  if (depth === 0) return leaf;
  const inner = typesOf(depth - 1);
  return fc.oneof(
    { weight: 6, arbitrary: leaf },
    { weight: 1, arbitrary: columnsOf(depth - 1, 3).map((columns): ColumnType => ({ kind: 'record', columns })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(inner, fc.boolean())
        .map(([type, nullable]): ColumnType => ({ kind: 'array', items: { name: 'element', type, nullable } })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(inner, fc.boolean())
        .map(([type, nullable]): ColumnType => ({ kind: 'map', values: { name: 'value', type, nullable } })),
    },
  );
}

const PLAIN_TYPES: readonly ColumnType[] = [
  { kind: 'boolean' },
  { kind: 'int' },
  { kind: 'long' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'string' },
  { kind: 'bytes' },
  { kind: 'uuid' },
  { kind: 'date' },
  { kind: 'time', unit: 'millis' },
  { kind: 'time', unit: 'micros' },
  { kind: 'timestamp', unit: 'millis', utc: true },
  { kind: 'timestamp', unit: 'millis', utc: false },
  { kind: 'timestamp', unit: 'micros', utc: true },
  { kind: 'timestamp', unit: 'micros', utc: false },
  { kind: 'enum', symbols: ['RED', 'GREEN', 'BLUE'] },
];

function decimals(): fc.Arbitrary<ColumnType> {
  return fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale): ColumnType => ({ kind: 'decimal', precision, scale })),
    );
}

function fixeds(): fc.Arbitrary<ColumnType> {
  return fc.integer({ min: 1, max: 20 }).map((size): ColumnType => ({ kind: 'fixed', size }));
}

function cellsOf({ type, nullable }: Column): fc.Arbitrary<RowValue> {
  const values = valuesOf(type);
  return nullable ? fc.option(values, { nil: null, freq: 4 }) : values;
}

const DAY_MS = 86_400_000;
/** Years 1 to 9999, which every reader knows. */
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;

export function valuesOf(type: ColumnType): fc.Arbitrary<RowValue> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer({ min: 0, max: 3 }));
    case 'long':
      return fc.oneof(whole(-(2n ** 63n), 2n ** 63n - 1n), whole(0n, 3n));
    case 'float':
      return fc.oneof(fc.float(), fc.constantFrom(0, -0, Infinity, -Infinity, NaN, Math.fround(1e-45)));
    case 'double':
      return fc.oneof(
        fc.double(),
        fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 5e-324, -1.7976931348623157e308, 0.1),
      );
    case 'string':
      return texts();
    case 'enum':
      return fc.constantFrom(...type.symbols);
    case 'bytes':
      return fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 60, maxLength: 70 }), longBytes());
    case 'fixed':
      return fc.uint8Array({ minLength: type.size, maxLength: type.size });
    case 'uuid':
      return fc.uuid();
    case 'date':
      return fc.integer({ min: FIRST_DAY, max: LAST_DAY });
    case 'time':
      return type.unit === 'millis' ? fc.integer({ min: 0, max: DAY_MS - 1 }) : whole(0n, BigInt(DAY_MS) * 1000n - 1n);
    case 'timestamp': {
      const unit = type.unit === 'millis' ? 1n : 1000n;
      return whole(BigInt(FIRST_DAY * DAY_MS) * unit, BigInt(LAST_DAY * DAY_MS) * unit);
    }
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision);
      return fc.oneof(whole(1n - limit, limit - 1n), whole(-2n, 2n));
    }
    case 'record':
      return fc
        .tuple(...type.columns.map(cellsOf))
        .map((cells): RowRecord => Object.fromEntries(type.columns.map(({ name }, index) => [name, cells[index]!])));
    case 'array':
      return fc.array(cellsOf(type.items), { maxLength: 4 });
    case 'map':
      return (
        fc
          // One of the readers makes plain objects of maps, and such an object cannot have this key.
          .array(
            fc.tuple(
              texts().filter((key) => key !== '__proto__'),
              cellsOf(type.values),
            ),
            { maxLength: 4 },
          )
          .map((entries): ReadonlyMap<string, RowValue> => new Map(entries))
      );
  }
}

/** The limits, which must hold 0 or be above it, and what is between. */
function whole(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const edges = [min, max, 0n, -1n].filter((value) => value >= min && value <= max);
  return fc.oneof(
    { weight: 3, arbitrary: fc.bigInt({ min, max }) },
    { weight: 1, arbitrary: fc.constantFrom(...edges) },
  );
}

/** Whole characters only: halves of surrogate pairs never get into a row. */
function texts(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    { weight: 2, arbitrary: fc.constantFrom('', 'a', 'b', 'null', '\0', '\ufeff', 'é', '😀', '\uffff', '\u{10ffff}') },
    { weight: 1, arbitrary: longTexts() },
  );
}

/** Around and above what a bound in the statistics may have, beginning alike. */
function longTexts(): fc.Arbitrary<string> {
  const character = fc.constantFrom('a', 'é', '\ud7ff', '😀', '\u{10ffff}');
  return fc
    .tuple(character, fc.integer({ min: 14, max: 70 }), fc.string({ unit: 'binary', maxLength: 6 }))
    .map(([unit, count, end]) => unit.repeat(count) + end);
}

function longBytes(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.integer({ min: 62, max: 66 }), fc.uint8Array({ maxLength: 2 }))
    .map(([count, end]) => Buffer.concat([Buffer.alloc(count, 0xff), end]));
}
