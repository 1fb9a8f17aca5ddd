/** CSV files of random schemas and values, as Python's csv module, pyarrow and DuckDB read them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { CsvFileEncoder } from '../../src/codec/rows/csv-file.ts';
import { tables, type Table } from '../support/arbitrary-rows.ts';
import { canonicalRow } from '../support/canonical-rows.ts';
import { manyRows } from '../support/parquet-files.ts';
import { seededFraction } from '../support/random.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { READERS } from './readers.ts';

const seed = testSeed();
const FILES = testRounds('SLUICE_FORMAT_FILES', 300);
const LIMIT_MS = 600_000;
const CHECK = join(import.meta.dirname, 'check_csv.py');

let folder: string;
before(async () => {
  await READERS.install();
});
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-csv-'));
});
test.afterEach(() => rm(folder, { recursive: true, force: true }));

test('random schemas and values', { timeout: LIMIT_MS }, async () => {
  const cases = fc.sample(fc.tuple(tables(25), fc.boolean()), { seed, numRuns: FILES });
  for (const [index, [table, header]] of cases.entries()) await add(`${index}`, table, header, 1000);
  await assertReaders();
});

test('a file of many chunks', { timeout: LIMIT_MS }, async () => {
  await add('many', manyRows(50_000, seededFraction(seed)), true);
  await assertReaders();
});

async function add(name: string, { schema, rows }: Table, header: boolean, chunkCharacters?: number): Promise<void> {
  const encoder = new CsvFileEncoder({ schema, header, ...(chunkCharacters === undefined ? {} : { chunkCharacters }) });
  const file = Buffer.concat([...(await encoder.add(rows)), ...(await encoder.finish())]);
  await writeFile(join(folder, `${name}.csv`), file);
  const wanted = { schema, header, rows: rows.map((row) => canonicalRow(row, schema)) };
  await writeFile(join(folder, `${name}.json`), JSON.stringify(wanted));
}

async function assertReaders(): Promise<void> {
  const { code, output } = await READERS.run('python', ['-B', CHECK, folder], LIMIT_MS);
  assert.equal(code, 0, output);
}
