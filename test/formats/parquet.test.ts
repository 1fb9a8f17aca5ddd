/** Parquet files of random schemas and values, and of many rows, as pyarrow and DuckDB read them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { concatParquet } from '../../src/codec/parquet/concat-parquet.ts';
import { PARQUET_COMPRESSIONS } from '../../src/codec/parquet/page-compression.ts';
import { rowSchemas, rowsOf, tables, type Table } from '../support/arbitrary-rows.ts';
import { canonicalRow } from '../support/canonical-rows.ts';
import { manyRows, parquetFile } from '../support/parquet-files.ts';
import { seededFraction } from '../support/random.ts';
import { readParquetFooter } from '../support/read-parquet.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { READERS } from './readers.ts';

const seed = testSeed();
const FILES = testRounds('SLUICE_FORMAT_FILES', 300);
const LIMIT_MS = 600_000;
const CHECK = join(import.meta.dirname, 'check_parquet.py');

let folder: string;
before(async () => {
  await READERS.install();
});
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-parquet-'));
});
test.afterEach(() => rm(folder, { recursive: true, force: true }));

test('random schemas and values', { timeout: LIMIT_MS }, async () => {
  const settings = fc.record({
    compression: fc.constantFrom(...PARQUET_COMPRESSIONS),
    rowGroupRows: fc.constantFrom(1, 7, 1000),
  });
  const cases = fc.sample(fc.tuple(tables(25), settings), { seed, numRuns: FILES });
  for (const [index, [table, options]] of cases.entries())
    await add(`${index}`, table, await parquetFile(table, options));
  await assertReaders();
});

test('many rows: several pages and row groups, all kinds of dictionaries', { timeout: LIMIT_MS }, async () => {
  const table = manyRows(100_000, seededFraction(seed));
  await add('one-group', table, await parquetFile(table, { compression: 'zstd', rowGroupBytes: 2 ** 30 }));
  await add('groups', table, await parquetFile(table, { compression: 'snappy', rowGroupBytes: 2 ** 20 }));
  await assertReaders();
});

test('files of one schema put together', { timeout: LIMIT_MS }, async () => {
  const parts = rowSchemas().chain((schema) =>
    fc
      .array(fc.array(rowsOf(schema), { maxLength: 9 }), { minLength: 1, maxLength: 5 })
      .map((parts) => ({ schema, parts })),
  );
  for (const [index, { schema, parts: rows }] of fc.sample(parts, { seed, numRuns: FILES / 5 }).entries()) {
    const files = await Promise.all(
      rows.map((part) => parquetFile({ schema, rows: part }, { compression: 'snappy', rowGroupRows: 4 })),
    );
    await add(`${index}`, { schema, rows: rows.flat() }, await concat(files));
  }
  await assertReaders();
});

async function add(name: string, table: Table, file: Buffer): Promise<void> {
  const { schema } = table;
  const rows = table.rows.map((row) => canonicalRow(row, schema));
  const rowGroups = readParquetFooter(file).row_groups.map(({ num_rows: count }) => Number(count));
  await writeFile(join(folder, `${name}.parquet`), file);
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ schema, rows, rowGroups }));
}

async function assertReaders(): Promise<void> {
  const { code, output } = await READERS.run('python', ['-B', CHECK, folder], LIMIT_MS);
  assert.equal(code, 0, output);
}

async function concat(files: readonly Buffer[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const sources = files.map((file) => ({
    bytes: file.length,
    async *read() {
      yield file;
    },
  }));
  for await (const piece of concatParquet(sources)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}
