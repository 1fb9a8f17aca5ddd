import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tables, type Table } from '../../../test/support/arbitrary-rows.ts';
import { canonicalRow } from '../../../test/support/canonical-rows.ts';
import { manyRows, parquetFile } from '../../../test/support/parquet-files.ts';
import { seededFraction } from '../../../test/support/random.ts';
import { asRead, readParquet, readParquetFooter } from '../../../test/support/read-parquet.ts';
import { testSeed } from '../../../test/support/seed.ts';
import type { RowSchema } from '../rows/row-schema.ts';
import { PARQUET_COMPRESSIONS } from './page-compression.ts';
import { ParquetFileEncoder } from './parquet-file.ts';

const seed = testSeed();
const RUNS = 200;

test('what is written is read back, nested and null', async () => {
  await fc.assert(
    fc.asyncProperty(tables(30), fc.constantFrom(...PARQUET_COMPRESSIONS), async (table, compression) => {
      const file = await parquetFile(table, { compression, rowGroupRows: 12 });
      await assertReads(file, table);
      assert.equal(readParquetFooter(file).num_rows, BigInt(table.rows.length));
    }),
    { seed, numRuns: RUNS },
  );
});

test('the same rows make the same bytes, however they are handed over', async () => {
  await fc.assert(
    fc.asyncProperty(tables(40), fc.integer({ min: 1, max: 7 }), async (table, piece) => {
      const options = { compression: 'snappy', rowGroupRows: 9, rowGroupBytes: 600 } as const;
      assert.deepEqual(await parquetFile(table, options, piece), await parquetFile(table, options));
    }),
    { seed, numRuns: RUNS },
  );
});

test('many rows: pages, dictionaries that stay, that go and that are never there', async () => {
  const table = manyRows(100_000, seededFraction(seed));
  const file = await parquetFile(table, { compression: 'snappy', rowGroupBytes: 2 ** 30 });
  await assertReads(file, table);
  const { row_groups: groups } = readParquetFooter(file);
  assert.equal(groups.length, 1);
  const pages = groups[0]!.columns.map(({ meta_data: column }) =>
    (column!.encoding_stats ?? []).map(({ page_type, encoding, count }) => [page_type, encoding, count]),
  );
  const plain = (count: number) => ['DATA_PAGE', 'PLAIN', count];
  const folded = (count: number) => [
    ['DICTIONARY_PAGE', 'PLAIN', 1],
    ['DATA_PAGE', 'RLE_DICTIONARY', count],
  ];
  const byName = Object.fromEntries(table.schema.columns.map(({ name }, index) => [name, pages[index]]));
  assert.deepEqual(byName['ascending'], [plain(5)]);
  assert.deepEqual(byName['few'], folded(5));
  assert.deepEqual(byName['unique'], [plain(5)]);
  // Until there are too many values, in the middle of a page, which ends there.
  assert.deepEqual(byName['many_later'], [...folded(5), plain(1)]);
  assert.deepEqual(byName['long_later'], [...folded(3), plain(4)], 'until they take too many bytes');
  assert.deepEqual(byName['runs'], [plain(5)]);
  assert.deepEqual(byName['none'], [plain(5)]);
  assert.deepEqual(byName['one'], folded(5));
  const [dictionary, data] = folded(4);
  assert.deepEqual(byName['few_later'], [dictionary, data, plain(1)], 'of which the page of nulls is the first one');
});

test('floats are those that are stored, in bounds and dictionaries too', async () => {
  const column = { name: 'float', type: { kind: 'float' }, nullable: false } as const;
  const fileOf = (values: readonly number[]) =>
    parquetFile({ schema: { columns: [column] }, rows: values.map((value) => [value]) }, { compression: 'none' });
  const oneFloat = Array.from({ length: 100 }, (_, index) => 1 + index * 1e-12);
  for (const values of [[1e-50], [-1e-50], [0.1, 0.2], [1e-50, -1e-50, 1e-50, -1e-50], oneFloat]) {
    assert.deepEqual(await fileOf(values), await fileOf(values.map(Math.fround)), `${values.length} × ${values[0]}`);
  }
  const { statistics } = readParquetFooter(await fileOf([1e-50])).row_groups[0]!.columns[0]!.meta_data!;
  assert.deepEqual([statistics?.min_value, statistics?.max_value], [-0, 0], 'so that a reader finds both');
});

test('times carry what older readers know them by, local ones too', async () => {
  const times = (['millis', 'micros'] as const).flatMap((unit) => [
    { name: `time ${unit}`, type: { kind: 'time', unit } as const },
    { name: `local ${unit}`, type: { kind: 'timestamp', unit, utc: false } as const },
    { name: `instant ${unit}`, type: { kind: 'timestamp', unit, utc: true } as const },
  ]);
  const schema = { columns: times.map((column) => ({ ...column, nullable: false })) };
  const elements = readParquetFooter(await parquetFile({ schema, rows: [] }, { compression: 'none' })).schema;
  const converted = elements.map(({ name, converted_type: type }) => [name, type]);
  assert.deepEqual(Object.fromEntries(converted.slice(1)), {
    'time millis': 'TIME_MILLIS',
    'local millis': 'TIMESTAMP_MILLIS',
    'instant millis': 'TIMESTAMP_MILLIS',
    'time micros': 'TIME_MICROS',
    'local micros': 'TIMESTAMP_MICROS',
    'instant micros': 'TIMESTAMP_MICROS',
  });
});

const TEXT: RowSchema = { columns: [{ name: 'text', type: { kind: 'string' }, nullable: false }] };

test('a row group ends with the row that reaches its rows or its bytes', async () => {
  const rowsOf = async (count: number, limits: { rowGroupRows?: number; rowGroupBytes?: number }) => {
    const rows = Array.from({ length: count }, (_, index) => [String(index).padEnd(1000)]);
    const { row_groups: groups } = readParquetFooter(
      await parquetFile({ schema: TEXT, rows }, { compression: 'none', ...limits }),
    );
    return groups.map(({ num_rows: number }) => Number(number));
  };
  assert.deepEqual(await rowsOf(24, { rowGroupRows: 12 }), [12, 12]);
  assert.deepEqual(await rowsOf(25, { rowGroupRows: 12 }), [12, 12, 1]);
  // Each is 1000 characters and their length in 4 bytes.
  assert.deepEqual(await rowsOf(10, { rowGroupBytes: 5 * 1004 }), [5, 5]);
  assert.deepEqual(await rowsOf(10, { rowGroupBytes: 5 * 1004 + 1 }), [6, 4]);
});

test('long texts again and again: pages and row groups are as small as if each were written out', async () => {
  const texts = Array.from({ length: 100 }, (_, index) => String(index).padEnd(10 * 1024));
  // The last ones are too many for the dictionary.
  const rows = Array.from({ length: 3600 }, (_, index) => [
    index < 3500 ? texts[index % 100]! : `${index} ${texts[0]}`,
  ]);
  const encoder = new ParquetFileEncoder({ schema: TEXT, compression: 'none' });
  const pieces = [...(await encoder.add(rows)), ...(await encoder.finish())];
  // Uncompressed, a large page is a piece of its own.
  const longest = Math.max(...pieces.map(({ byteLength }) => byteLength));
  assert.ok(longest <= 1024 * 1024 + 11 * 1024, `a page of ${longest} bytes`);

  const file = Buffer.concat(pieces);
  assert.deepEqual(
    readParquetFooter(file).row_groups.map(({ num_rows: count }) => Number(count)),
    [Math.ceil((32 * 1024 * 1024) / (4 + 10 * 1024)), 3600 - 3276],
  );
  await assertReads(file, { schema: TEXT, rows });
});

test('finished row groups are handed over, and nothing of them is held', async () => {
  const encoder = new ParquetFileEncoder({ schema: TEXT, compression: 'none', rowGroupBytes: 100_000 });
  let handedOver = 0;
  for (let index = 0; index < 1000; index += 1) {
    for (const piece of await encoder.add([[String(index).padEnd(1000)]])) handedOver += piece.byteLength;
    assert.ok((index + 1) * 1000 - handedOver <= 101_000, `${handedOver} bytes after ${index} rows`);
  }
});

test('a file without rows is whole', async () => {
  const file = await parquetFile({ schema: TEXT, rows: [] }, { compression: 'snappy' });
  assert.deepEqual(await readParquet(file, TEXT), []);
  const { num_rows: rows, row_groups: groups, created_by: writer } = readParquetFooter(file);
  assert.deepEqual({ rows, groups, writer }, { rows: 0n, groups: [], writer: 'sluice version 1 (build 1)' });
});

test('a record without columns is refused', () => {
  const record = { kind: 'record', columns: [] } as const;
  for (const columns of [[], [{ name: 'r', type: record, nullable: true }]]) {
    assert.throws(() => new ParquetFileEncoder({ schema: { columns }, compression: 'none' }), RangeError);
  }
});

async function assertReads(file: Uint8Array, { schema, rows }: Table): Promise<void> {
  const read = await readParquet(file, schema);
  assert.equal(read.length, rows.length);
  for (const [index, row] of rows.entries()) {
    const expected = canonicalRow(row, schema).map((value, column) => asRead(value, schema.columns[column]!.type));
    if (JSON.stringify(read[index]) !== JSON.stringify(expected))
      assert.deepEqual(read[index], expected, `row ${index}`);
  }
}
