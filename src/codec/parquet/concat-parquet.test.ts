import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowSchemas, rowsOf, type Table } from '../../../test/support/arbitrary-rows.ts';
import { parquetFile } from '../../../test/support/parquet-files.ts';
import { readParquet, readParquetFooter } from '../../../test/support/read-parquet.ts';
import { testSeed } from '../../../test/support/seed.ts';
import type { RowSchema } from '../rows/row-schema.ts';
import { concatParquet, OtherSchema, type ParquetSource } from './concat-parquet.ts';

const seed = testSeed();
const RUNS = 60;

test('the files one after the other, whatever the pieces and however little is held back', async () => {
  await fc.assert(
    fc.asyncProperty(partsOfTables(), fc.integer({ min: 40, max: 3000 }), async (tables, piece) => {
      const files = await Promise.all(tables.map(toFile));
      const rows = await Promise.all(files.map((file, index) => readParquet(file, tables[index]!.schema)));
      const joined = await concat(files.map((file) => source(file, piece)));
      assert.deepEqual(await readParquet(joined, tables[0]!.schema), rows.flat());
      assert.equal(readParquetFooter(joined).num_rows, BigInt(rows.flat().length));
      assert.deepEqual(await concat(files.map((file) => source(file, 1_000_000))), joined);

      // Less than a footer is held back: the files are read again for it.
      const sources = files.map((file) => source(file, piece));
      assert.deepEqual(await readParquet(await concat(sources, 20), tables[0]!.schema), rows.flat());
      assert.deepEqual(
        sources.map(({ reads }) => reads),
        files.map(() => 2),
      );
    }),
    { seed, numRuns: RUNS },
  );
});

test('others get their turn between row groups', async () => {
  const rows = Array.from({ length: 50 }, (_, index) => [`${index}`]);
  const file = await parquetFile({ schema: TEXT, rows }, { compression: 'none', rowGroupRows: 1 });
  let turns = 0;
  let done = false;
  const takeTurn = () => {
    turns += 1;
    if (!done) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);
  await concat([source(file, file.length)]);
  done = true;
  assert.ok(turns >= rows.length, `${turns} turns`);
});

const TEXT: RowSchema = { columns: [{ name: 'text', type: { kind: 'string' }, nullable: false }] };
const OPTIONAL: RowSchema = { columns: [{ name: 'text', type: { kind: 'string' }, nullable: true }] };

test('files of another schema are refused, and which one is told', async () => {
  const [one, other] = [
    await toFile({ schema: TEXT, rows: [['a']] }),
    await toFile({ schema: OPTIONAL, rows: [['a']] }),
  ];
  const error = await concat([one, one, other].map((file) => source(file, 100))).catch((error: unknown) => error);
  assert.ok(error instanceof OtherSchema);
  assert.equal(error.index, 2);
});

test('what is no Parquet file, or another one than was told, is refused', async () => {
  const file = await toFile({ schema: TEXT, rows: [['a']] });
  const altered = Buffer.from(file).fill(0xff, file.length - 8, file.length - 4);
  const broken = Buffer.from(file).fill(0xff, file.length - 60, file.length - 8);
  const cases: Readonly<Record<string, ParquetSource>> = {
    'no magic': source(file.subarray(0, -1), 100),
    'too short': source(Buffer.from('PAR1'), 100),
    'a footer longer than the file': source(altered, 100),
    'a broken footer': source(broken, 100),
    'longer than told': { ...source(file, 100), bytes: file.length - 1 },
    'shorter than told': { ...source(file, 100), bytes: file.length + 1 },
  };
  for (const [name, one] of Object.entries(cases)) await assert.rejects(concat([one]), RangeError, name);
  await assert.rejects(concat([]), RangeError);
});

function partsOfTables(): fc.Arbitrary<Table[]> {
  return rowSchemas().chain((schema) =>
    fc.array(
      fc.array(rowsOf(schema), { maxLength: 8 }).map((rows): Table => ({ schema, rows })),
      { minLength: 1, maxLength: 4 },
    ),
  );
}

function toFile(table: Table): Promise<Buffer> {
  return parquetFile(table, { compression: 'snappy', rowGroupRows: 3 });
}

interface CountedSource extends ParquetSource {
  reads: number;
}

/** Its pieces are all in the same memory. */
function source(file: Buffer, piece: number): CountedSource {
  const memory = Buffer.alloc(piece);
  return {
    bytes: file.length,
    reads: 0,
    async *read() {
      this.reads += 1;
      for (let at = 0; at < file.length; at += piece) yield memory.subarray(0, file.copy(memory, 0, at, at + piece));
    },
  };
}

async function concat(sources: readonly ParquetSource[], tailBytes?: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of concatParquet(sources, tailBytes)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
