/** Cuts of random records against a plain model of what must come out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import {
  audit,
  BY_COUNTRY,
  CREATED_AT,
  inThisThread,
  numbers,
  records,
  TOLD,
  write,
} from '../../../test/support/cut-rig.ts';
import { ListSource, type GivenRecord } from '../../../test/support/list-source.ts';
import type { DumpSettings } from '../settings/settings.ts';

/** What a record says, or nothing that can be understood. */
const given = fc.oneof(
  { weight: 6, arbitrary: fc.record({ c: fc.constantFrom('a', 'b', 'ü/', '', null), n: fc.maxSafeInteger() }) },
  { weight: 1, arbitrary: fc.record({ c: fc.constantFrom('a', 'z'), n: fc.constantFrom('x', 1.5) }) },
  { weight: 1, arbitrary: fc.constantFrom('{', '[]', '1', '') },
);
const history = fc.record({
  given: fc.array(given, { minLength: 1, maxLength: 40 }),
  skips: fc.array(fc.nat({ max: 2 }), { minLength: 1 }),
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
  heldBytes: fc.constantFrom(0, 1, 60, 150, 400, 10_000),
  paths: fc.integer({ min: 1, max: 5 }),
  records: fc.constantFrom(1, 7, 100),
});
const FORMS = {
  text: { ...BY_COUNTRY, delimiter: ';' },
  'text in gzip': { ...BY_COUNTRY, compression: 'gzip', delimiter: ';' },
  'told csv': { ...BY_COUNTRY, fileType: 'csv', form: TOLD },
  'found csv': { ...BY_COUNTRY, fileType: 'csv', csvHeader: false },
  'told parquet': { ...BY_COUNTRY, fileType: 'parquet', compression: 'snappy', form: TOLD },
  'found parquet in one place': { fileType: 'parquet', compression: 'zstd' },
  'told csv in one place': { fileType: 'csv', form: TOLD, compression: 'gzip' },
} as const satisfies Record<string, Partial<DumpSettings>>;

for (const [name, settings] of Object.entries(FORMS) as [string, Partial<DumpSettings>][]) {
  test(`every record is in exactly one file or dead letter, in order, whatever is held at a time: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ given: all, skips, sizes, ...limits }) => {
        let sequence = 100;
        const put = all.map((record, index): GivenRecord => {
          sequence += 1 + skips[index % skips.length]!;
          const time = CREATED_AT - Math.floor(index / 5);
          return { sequence, time, data: typeof record === 'string' ? record || ' ' : JSON.stringify(record) };
        });
        const { cut, store } = await write(new ListSource(put, sizes), { settings, converters: inThisThread(limits) });
        const files = audit(cut, store);

        const taken = put.filter((record) => record.sequence < cut.next);
        const { fates, columns } = model(taken, settings);
        let seen = 0;
        for (const file of cut.files) {
          const mine = taken.filter((_, index) => fates[index] === file.path);
          const rows = mine.map(({ data }) => JSON.parse(data) as Said);
          assert.deepEqual(await readBack(files.get(file.key)!, settings), expected(mine, rows, columns, settings));
          assert.equal(file.records, mine.length);
          assert.equal(file.firstRecord, mine[0]!.sequence);
          assert.equal(file.lastRecord, mine.at(-1)!.sequence);
          seen += mine.length;
        }
        const dead = taken.filter((_, index) => fates[index] === undefined).map((record) => record.sequence);
        assert.deepEqual(numbers(files.get(cut.deadLetters?.key ?? '')), dead);
        assert.equal(cut.deadLetters?.records ?? 0, dead.length);
        assert.equal(seen + dead.length, taken.length);
        const firsts = cut.files.map(({ firstRecord }) => firstRecord);
        assert.deepEqual(
          firsts,
          firsts.toSorted((a, b) => a - b),
          'paths in the order of their first records',
        );

        const again = await write(new ListSource(put, [1]), {
          settings,
          converters: inThisThread({ ...limits, heldBytes: 100_000 }),
        });
        assert.deepEqual(again.cut, cut);
        assert.deepEqual(again.store.objects, store.objects);
      }),
      { numRuns: 60 },
    );
  });
}

test('columns that were found in records of another form decide nothing', async () => {
  const form = { dataSchema: undefined, csvDelimiter: ',' } as const;
  const ofJson = { fileType: 'csv', form: { ...form, dataType: 'JSON' } } as const;
  const ofCsv = { fileType: 'csv', form: { ...form, dataType: 'CSV' } } as const;
  const first = await write(new ListSource(records('{"c1":1,"b":{"x":2}}')), { settings: ofJson });
  const lines = new ListSource(records('a,b', 'c'));
  const second = await write(lines, { settings: ofCsv, columns: first.cut.columns! });
  assert.equal(second.cut.deadLetters, undefined);
  assert.equal([...audit(second.cut, second.store).values()].join(''), 'c1,c2\na,b\nc,\n');
  const third = await write(new ListSource(records('{"c1":3}')), { settings: ofJson, columns: second.cut.columns! });
  assert.equal([...audit(third.cut, third.store).values()].join(''), 'c1\n3\n');
});

test('a record that does not fit columns of which nobody knows the form is a dead letter, and the others are delivered', async () => {
  const columns = JSON.stringify({
    columns: [
      { name: 'c1', type: { kind: 'record', columns: [{ name: 'x', type: { kind: 'double' } }] }, nullable: true },
    ],
  });
  const settings = { fileType: 'csv', form: { dataType: 'CSV', dataSchema: undefined, csvDelimiter: ',' } } as const;
  const { cut, store } = await write(new ListSource(records('a,b', ',c')), { settings, columns });
  const files = audit(cut, store);
  assert.deepEqual(numbers(files.get(cut.deadLetters!.key)), [0]);
  assert.equal(files.get(cut.files[0]!.key)!.toString(), 'c1,c2\n,c\n');
});

type Said = Record<string, string | number | null>;

const DIRECTORIES: Readonly<Record<string, string>> = { a: 'a', b: 'b', z: 'z', 'ü/': '%C3%BC%2F' };

/** Which path each record of the property goes to, undefined for the dead letters, and the columns that it makes. */
function model(taken: readonly GivenRecord[], { form, fileType, pathTemplate }: Partial<DumpSettings>) {
  const kinds = new Map<string, string>();
  const fates = taken.map(({ data }) => {
    if (!data.startsWith('{"')) return undefined;
    const members = JSON.parse(data) as Said;
    const values = Object.entries(members).filter(([, value]) => value !== null);
    if (form === TOLD && !Number.isInteger(members.n)) return undefined;
    if (form === undefined && fileType !== undefined) {
      if (values.some(([name, value]) => (kinds.get(name) ?? typeof value) !== typeof value)) return undefined;
      for (const [name, value] of values) kinds.set(name, typeof value);
    }
    if (pathTemplate === undefined) return '2026/11';
    return `c=${DIRECTORIES[members.c ?? ''] ?? '__HIVE_DEFAULT_PARTITION__'}`;
  });
  return { fates, columns: form === TOLD ? ['c', 'n'] : [...kinds.keys()] };
}

/** What `readBack` gives for these records. */
function expected(
  mine: readonly GivenRecord[],
  rows: readonly Said[],
  columns: readonly string[],
  { fileType, csvHeader = true }: Partial<DumpSettings>,
): unknown {
  if (fileType === undefined) return mine.map(({ data }) => `${data};`).join('');
  const values = rows.map((row) => columns.map((name) => row[name] ?? null));
  if (fileType === 'parquet')
    return values.map(
      (row) => Object.fromEntries(row.map((v, index): [string, unknown] => [columns[index]!, v])) as object,
    );
  const field = (value: string | number | null) => (value === '' ? '""' : String(value ?? ''));
  const lines = values.map((row) => row.map(field).join(',') || '""');
  return [...(csvHeader ? [columns.join(',')] : []), ...lines].map((line) => `${line}\n`).join('');
}

async function readBack(file: Buffer, { fileType, compression }: Partial<DumpSettings>): Promise<unknown> {
  if (fileType !== 'parquet') return (compression === 'gzip' ? gunzipSync(file) : file).toString();
  const copy = file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer;
  const compressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) };
  const rows = (await parquetReadObjects({ file: copy, compressors })) as Record<string, unknown>[];
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    ),
  );
}
