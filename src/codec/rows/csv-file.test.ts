import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rowsOf, rowSchemas, valuesOf } from '../../../test/support/arbitrary-rows.ts';
import { canonicalRow } from '../../../test/support/canonical-rows.ts';
import { CsvFileEncoder } from './csv-file.ts';
import { csvMembers } from './record-members.ts';
import { compileRows } from './row-converter.ts';
import { someColumn, type ColumnType, type Row, type RowSchema, type RowValue } from './row-schema.ts';

async function encode(schema: RowSchema, batches: readonly (readonly Row[])[], header = true, chunkCharacters = 100) {
  const encoder = new CsvFileEncoder({ schema, header, chunkCharacters });
  const chunks: Uint8Array[] = [];
  for (const rows of batches) chunks.push(...(await encoder.add(rows)));
  chunks.push(...(await encoder.finish()));
  assert.ok(chunks.every(({ length }) => length > 0));
  return Buffer.concat(chunks).toString();
}

function schemaOf(...types: readonly ColumnType[]): RowSchema {
  return { columns: types.map((type, index) => ({ name: `c${index}`, type, nullable: true })) };
}

/** The field that a value becomes. */
async function field(type: ColumnType, value: RowValue): Promise<string> {
  const text = await encode(schemaOf(type, { kind: 'int' }), [[[value, 1]]], false);
  assert.ok(text.endsWith(',1\n'));
  return text.slice(0, -3);
}

test('the header names the columns, in quotes where they need them', async () => {
  const columns = ['a', 'b,c', 'd"e', 'ä b'].map((name) => ({ name, type: { kind: 'int' } as const, nullable: true }));
  assert.equal(await encode({ columns }, [[[1, 2, 3, null]]]), 'a,"b,c","d""e",ä b\n1,2,3,\n');
  assert.equal(await encode({ columns }, [], true), 'a,"b,c","d""e",ä b\n');
  assert.equal(await encode({ columns }, [], false), '');
});

test('texts are quoted where RFC 4180 wants it, and null is not an empty text', async () => {
  const text = { kind: 'string' } as const;
  const fields = {
    a: 'a',
    ' a ': ' a ',
    'a,b': '"a,b"',
    'a"b': '"a""b"',
    'a\nb': '"a\nb"',
    'a\rb': '"a\rb"',
    '😀': '😀',
    '\ufeff': '"\ufeff"',
  };
  for (const [value, expected] of Object.entries(fields)) assert.equal(await field(text, value), expected);
  assert.equal(await field(text, ''), '""');
  assert.equal(await field(text, null), '');
  assert.equal(await field({ kind: 'bytes' }, new Uint8Array()), '""');
});

test('a line is never empty', async () => {
  assert.equal(await encode(schemaOf({ kind: 'int' }), [[[null], [1]]], false), '""\n1\n');
});

test('values of every type', async () => {
  const cases: [ColumnType, RowValue, string][] = [
    [{ kind: 'boolean' }, false, 'false'],
    [{ kind: 'int' }, -7, '-7'],
    [{ kind: 'long' }, 9223372036854775807n, '9223372036854775807'],
    [{ kind: 'double' }, 0.1, '0.1'],
    [{ kind: 'double' }, -0, '-0'],
    [{ kind: 'double' }, 1e21, '1e+21'],
    [{ kind: 'double' }, NaN, 'NaN'],
    [{ kind: 'float' }, -Infinity, '-Infinity'],
    [{ kind: 'decimal', precision: 20, scale: 3 }, -5n, '-0.005'],
    [{ kind: 'enum', symbols: ['A,B'] }, 'A,B', '"A,B"'],
    [{ kind: 'bytes' }, Buffer.from([255, 0]), '/wA='],
    [{ kind: 'uuid' }, 'd3b07384-d9a0-4c9b-8f5c-2a1b3c4d5e6f', 'd3b07384-d9a0-4c9b-8f5c-2a1b3c4d5e6f'],
    [{ kind: 'date' }, -1, '1969-12-31'],
    [{ kind: 'time', unit: 'millis' }, 1, '00:00:00.001'],
    [{ kind: 'time', unit: 'micros' }, 1n, '00:00:00.000001'],
    [{ kind: 'timestamp', unit: 'millis', utc: true }, -1n, '1969-12-31T23:59:59.999Z'],
    [{ kind: 'timestamp', unit: 'micros', utc: false }, 1n, '1970-01-01T00:00:00.000001'],
  ];
  for (const [type, value, expected] of cases) assert.equal(await field(type, value), expected);
});

test('what is nested is JSON', async () => {
  const { columns } = schemaOf({ kind: 'double' }, { kind: 'long' }, { kind: 'string' }, { kind: 'bytes' });
  const record: ColumnType = { kind: 'record', columns };
  const json = '"{""c0"":""NaN"",""c1"":9007199254740993,""c2"":""\\""\\n"",""c3"":null}"';
  assert.equal(await field(record, { c0: NaN, c1: 9007199254740993n, c2: '"\n', c3: null }), json);
  const decimals: ColumnType = {
    kind: 'array',
    items: schemaOf({ kind: 'decimal', precision: 5, scale: 2 }).columns[0]!,
  };
  assert.equal(await field(decimals, [1250n, null]), '"[12.50,null]"');
  assert.equal(
    await field({ kind: 'map', values: columns[3]! }, new Map([['k', Buffer.from('a')]])),
    '"{""k"":""YQ==""}"',
  );
  assert.equal(await field(decimals, []), '"[]"');
});

test('rows make the same bytes however they come', () => {
  const schema = schemaOf({ kind: 'string' }, { kind: 'double' });
  const rows = fc.array(fc.tuple(valuesOf({ kind: 'string' }), valuesOf({ kind: 'double' })), { maxLength: 20 });
  return fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 200 }),
      async (all, size, chunk) => {
        const batches = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
          all.slice(index * size, (index + 1) * size),
        );
        assert.equal(await encode(schema, batches, true, chunk), await encode(schema, [all], true, 1_000_000));
      },
    ),
  );
});

/** The records of a CSV file: a line end within quotes is none. */
function linesOf(text: string): string[] {
  return text.match(/(?:[^"\n]|"(?:[^"]|"")*")+\n/g) ?? [];
}

/** Bytes are read as Avro has them and written as Base64. A single column is told apart from no line, not from null. */
function isReadBack(schema: RowSchema): boolean {
  return schema.columns.length > 1 && !someColumn(schema, ({ kind }) => kind === 'bytes' || kind === 'fixed');
}

test('whatever the schema, what was written as CSV is read as CSV', () => {
  const files = rowSchemas()
    .filter(isReadBack)
    .chain((schema) => fc.array(rowsOf(schema), { maxLength: 5 }).map((rows) => ({ schema, rows })));
  return fc.assert(
    fc.asyncProperty(files, async ({ schema, rows }) => {
      const lines = linesOf(await encode(schema, [rows], false));
      assert.equal(lines.length, rows.length);
      const read = csvMembers(schema, ',');
      const toRow = compileRows(schema, 'CSV');
      for (const [index, line] of lines.entries()) {
        const bytes = Buffer.from(line);
        assert.deepEqual(canonicalRow(toRow(read(bytes, 0, bytes.length)), schema), canonicalRow(rows[index]!, schema));
      }
    }),
    { numRuns: 300 },
  );
});
