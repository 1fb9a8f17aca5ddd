import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { tables } from '../../../test/support/arbitrary-rows.ts';
import { canonicalRow } from '../../../test/support/canonical-rows.ts';
import { ConversionError } from '../../model/conversion-error.ts';
import { formatDecimal } from './decimal-text.ts';
import { jsonMembers, memberReader } from './record-members.ts';
import { compileRows } from './row-converter.ts';
import type { Column, ColumnType, RowRecord, RowValue, RowSource } from './row-schema.ts';

/** The value of the one column that the record `payload` has. */
function valueOf(column: Column, payload: string, source: RowSource = 'JSON'): RowValue {
  const schema = { columns: [column] };
  const bytes = Buffer.from(payload);
  const members = memberReader(source, schema, ',')(bytes, 0, bytes.length);
  return compileRows(schema, source)(members)[0]!;
}

function of(type: ColumnType | ColumnType['kind'], more: Partial<Column> = {}): Column {
  const full = typeof type === 'string' ? ({ kind: type } as ColumnType) : type;
  return { name: 'a', type: full, nullable: false, ...more };
}

/** `taken`: JSON values and what becomes of them. */
function takes(type: ColumnType | ColumnType['kind'], taken: Record<string, RowValue>, refused: readonly string[]) {
  for (const [json, value] of Object.entries(taken)) {
    assert.deepEqual(valueOf(of(type), `{"a":${json}}`), value, json);
  }
  for (const json of refused) {
    assert.throws(
      () => valueOf(of(type), `{"a":${json}}`),
      (error) => error instanceof ConversionError && /^a: expected .*, found ./.test(error.message),
      json,
    );
  }
}

test('numbers: whole ones in their range, nothing rounded', () => {
  takes('int', { '0': 0, '-2147483648': -2147483648, '2147483647': 2147483647, '1.0': 1, '1e3': 1000 }, [
    '2147483648',
    '-2147483649',
    '1.5',
    '"1"',
    'true',
    '{}',
    '12345678901234567890',
  ]);
  takes(
    'long',
    {
      '1': 1n,
      '"-17"': -17n,
      '9223372036854775807': 9223372036854775807n,
      '-9223372036854775808': -9223372036854775808n,
      '"9223372036854775807"': 9223372036854775807n,
      '9007199254740993': 9007199254740993n,
      '1e18': 1000000000000000000n,
      '123456789012345e3': 123456789012345000n,
      '1.00000000000000000': 1n,
    },
    ['9223372036854775808', '-9223372036854775809', '1e19', '0.5', '"0x10"', '"abc"', '""', '[1]', 'false'],
  );
  takes('double', { '0.1': 0.1, '-0': -0, '1e308': 1e308, '"NaN"': NaN, '"-Infinity"': -Infinity }, [
    '1e309',
    '"1"',
    '"abc"',
    'true',
  ]);
  takes('float', { '0.1': 0.1, '3.4028235e38': 3.4028235e38, '"Infinity"': Infinity }, ['3.5e38', '1e400', '"1"']);
  const decimal = { kind: 'decimal', precision: 20, scale: 2 } as const;
  takes(
    decimal,
    { '12.5': 1250n, '"12.50"': 1250n, '-0.01': -1n, '123456789012345678.91': 12345678901234567891n, '1e-2': 1n },
    ['12.505', '"0.001"', '1e18', '"twelve"', 'true', '1000000000000000000.00'],
  );
});

test('texts and what is written as text', () => {
  takes('string', { '"😀"': '😀', '""': '' }, ['1', 'true', '[]', '"\\ud800"', '"\\udc00x"']);
  takes({ kind: 'enum', symbols: ['RED', 'BLUE'] }, { '"RED"': 'RED' }, ['"red"', '""', '1']);
  takes('bytes', { '"\\u0000\\u00ffA"': Buffer.from([0, 255, 65]), '""': Buffer.alloc(0) }, ['"\\u0100"', '1']);
  takes({ kind: 'fixed', size: 2 }, { '"\\u00ffA"': Buffer.from([255, 65]) }, ['"a"', '"abc"', '"a\\u0100"']);
  const uuid = 'd3b07384-d9a0-4c9b-8f5c-2a1b3c4d5e6f';
  takes('uuid', { [`"${uuid}"`]: uuid, [`"${uuid.toUpperCase()}"`]: uuid }, [`"${uuid.slice(1)}"`, '"{}"', '1']);
  takes('boolean', { true: true, false: false }, ['"true"', '1', '0']);
});

test('times as numbers of their unit or in ISO 8601, of the years 1 to 9999', () => {
  takes('date', { '"1970-01-02"': 1, '-1': -1, '"20000"': 20000 }, ['2932897', '-719163', '0.5', '"1970-02-30"']);
  takes({ kind: 'time', unit: 'millis' }, { '86399999': 86399999, '"00:00:01"': 1000 }, ['86400000', '-1', '"24:00"']);
  takes({ kind: 'time', unit: 'micros' }, { '86399999999': 86399999999n, '"00:00:01"': 1000000n }, ['86400000000']);
  takes({ kind: 'timestamp', unit: 'millis', utc: true }, { '1': 1n, '"1970-01-01T01:00:00+01:00"': 0n }, [
    '253402300800000',
    '-62135596800001',
    '1732350000.5',
    '"yesterday"',
  ]);
  const local = { kind: 'timestamp', unit: 'micros', utc: false } as const;
  takes(local, { '253402300799999999': 253402300799999999n, '"1970-01-01 00:00:01"': 1000000n }, [
    '253402300800000000',
    '"1970-01-01T00:00:00Z"',
  ]);
});

test('nested values, and where in them something is wrong', () => {
  const address: ColumnType = { kind: 'record', columns: [of('string', { name: 'zip' })] };
  takes(address, { '{"zip":"1","more":2}': { zip: '1' } }, ['1', '"x"', '[]', '12345678901234567890']);
  takes({ kind: 'array', items: of('int', { nullable: true }) }, { '[1,null]': [1, null], '[]': [] }, ['{}', '1']);
  takes({ kind: 'map', values: of('int') }, { '{"x":1}': new Map([['x', 1]]) }, ['[]', '"x"']);
  const deep = of({ kind: 'array', items: of({ kind: 'map', values: of(address) }) });
  const reasons: Record<string, string> = {
    '{"a":[{"k":{"zip":1}}]}': 'a[]{}.zip: expected a string of well-formed Unicode, found 1',
    '{"a":[{"k":{}}]}': 'a[]{}.zip: is missing',
    '{"a":[{"k":null}]}': 'a[]{}: must not be null',
    '{"a":[[]]}': 'a[]: expected an object, found an array',
    '{"a":[{"\\ud800":{"zip":"1"}}]}': 'a[]: expected names of well-formed Unicode, found "\\ud800"',
  };
  for (const [payload, message] of Object.entries(reasons)) assert.throws(() => valueOf(deep, payload), { message });
});

test('the reason names what was found, and of long texts the beginning', () => {
  const price = of('double', { name: 'price' });
  assert.throws(() => valueOf(price, '{"price":"abc"}'), { message: 'price: expected a number, found "abc"' });
  const long = 'x'.repeat(1000);
  assert.throws(() => valueOf(price, `{"price":"${long}"}`), {
    message: `price: expected a number, found "${'x'.repeat(40)}…"`,
  });
  assert.throws(() => valueOf(price, '{"price":1e999}'), {
    message: 'price: expected a number, found a number too large for a double',
  });
});

test('absent members, null, defaults and aliases', () => {
  assert.throws(() => valueOf(of('int'), '{}'), { message: 'a: is missing' });
  assert.throws(() => valueOf(of('int'), '{"a":null}'), { message: 'a: must not be null' });
  assert.equal(valueOf(of('int', { nullable: true }), '{}'), null);
  assert.equal(valueOf(of('int', { nullable: true }), '{"a":null}'), null);
  assert.equal(valueOf(of('int', { default: 7 }), '{}'), 7);
  assert.equal(valueOf(of('int', { nullable: true, default: 7 }), '{}'), 7);
  assert.equal(valueOf(of('int', { nullable: true, default: 7 }), '{"a":null}'), null);
  assert.equal(valueOf(of('int', { nullable: true, default: null }), '{}'), null);
  assert.throws(() => valueOf(of('int', { default: 7 }), '{"a":null}'), { message: 'a: must not be null' });
  const aliased = of('int', { aliases: ['user-id', 'toString'] });
  assert.equal(valueOf(aliased, '{"user-id":1,"toString":2}'), 1);
  assert.equal(valueOf(aliased, '{"toString":2}'), 2);
  assert.equal(valueOf(aliased, '{"user-id":1,"a":3}'), 3);
  assert.throws(() => valueOf(aliased, '{}'), { message: 'a: is missing' });
});

test('names that every object inherits are columns like others', () => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty'];
  const columns = names.map((name) => of('int', { name, nullable: true }));
  const schema = { columns: [...columns, of({ kind: 'record', columns }, { name: 'r' })] };
  const payload = Buffer.from('{"constructor":1,"r":{"__proto__":2}}');
  const [first, second, third, record] = compileRows(schema, 'JSON')(jsonMembers(schema)(payload, 0, payload.length));
  assert.deepEqual([first, second, third], [null, 1, null]);
  assert.deepEqual(Object.entries(record as RowRecord), [
    ['__proto__', 2],
    ['constructor', null],
    ['hasOwnProperty', null],
  ]);
});

test('CSV: texts for every type', () => {
  const csv = (type: ColumnType | ColumnType['kind'], field: string, more?: Partial<Column>) =>
    valueOf(of(type, more), field, 'CSV');
  assert.equal(csv('boolean', 'TRUE'), true);
  assert.equal(csv('int', ' 007 '), 7);
  assert.equal(csv('long', ' 9223372036854775807'), 9223372036854775807n);
  assert.equal(csv('double', '-1.5e3'), -1500);
  assert.equal(csv('double', 'NaN'), NaN);
  assert.equal(csv('float', '-Infinity'), -Infinity);
  assert.equal(csv({ kind: 'decimal', precision: 5, scale: 2 }, ' 12.5'), 1250n);
  assert.equal(csv('string', ' a '), ' a ');
  assert.equal(csv('date', ' 2024-01-01'), 19723);
  assert.equal(csv({ kind: 'timestamp', unit: 'millis', utc: true }, '1732350000123'), 1732350000123n);
  assert.equal(csv({ kind: 'timestamp', unit: 'millis', utc: true }, '1970-01-01T00:00:01Z '), 1000n);
  assert.deepEqual(csv({ kind: 'array', items: of('long') }, '"[1,9007199254740993]"'), [1n, 9007199254740993n]);
  const wrong: [ColumnType['kind'], string][] = [
    ['int', '1.5'],
    ['int', 'x'],
    ['int', '0x10'],
    ['int', '""'],
    ['int', '"  "'],
    ['double', '1e309'],
    ['double', 'Infinityx'],
    ['boolean', '1'],
    ['boolean', 'yes'],
  ];
  for (const [kind, field] of wrong) assert.throws(() => csv(kind, field), ConversionError, `${kind} ${field}`);
  assert.throws(() => csv({ kind: 'array', items: of('long') }, 'x'), { message: /^a: not JSON/ });
});

test('CSV: an empty field is null where it may be, and an empty text where it is quoted', () => {
  const csv = (column: Column, line: string) => valueOf(column, line, 'CSV');
  assert.equal(csv(of('string', { nullable: true }), ''), null);
  assert.equal(csv(of('string', { nullable: true }), '""'), '');
  assert.equal(csv(of('string'), ''), '');
  assert.equal(csv(of('string', { default: 'x' }), ''), 'x');
  assert.equal(csv(of('int', { nullable: true }), ''), null);
  assert.equal(csv(of('int', { nullable: true, default: 7 }), ''), null);
  assert.equal(csv(of('int', { default: 7 }), ''), 7);
  assert.throws(() => csv(of('int'), ''), { message: 'a: is empty' });
});

/** A value as a producer would write it. */
function jsonOf(value: RowValue, type: ColumnType): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'float':
    case 'double':
      return doubleJson(value as number);
    case 'boolean':
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
      return `${value as boolean | number | bigint}`;
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'bytes':
    case 'fixed':
      return JSON.stringify(Buffer.from(value as Uint8Array).toString('latin1'));
    case 'string':
    case 'enum':
    case 'uuid':
      return JSON.stringify(value);
    case 'record':
      return objectOf(type.columns.map((column) => [column.name, (value as RowRecord)[column.name]!, column.type]));
    case 'array':
      return `[${(value as readonly RowValue[]).map((item) => jsonOf(item, type.items.type)).join(',')}]`;
    case 'map': {
      const entries = [...(value as ReadonlyMap<string, RowValue>)];
      return objectOf(entries.map(([name, item]) => [name, item, type.values.type]));
    }
  }
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function objectOf(members: readonly (readonly [string, RowValue, ColumnType])[]): string {
  return `{${members.map(([name, value, type]) => `${JSON.stringify(name)}: ${jsonOf(value, type)}`).join(', ')}}`;
}

test('whatever the schema, a row that was written as JSON is that row again', () => {
  fc.assert(
    fc.property(tables(4), ({ schema, rows }) => {
      const read = jsonMembers(schema);
      const toRow = compileRows(schema, 'JSON');
      for (const row of rows) {
        const json = objectOf(schema.columns.map(({ name, type }, index) => [name, row[index]!, type]));
        const bytes = Buffer.from(json);
        assert.deepEqual(canonicalRow(toRow(read(bytes, 0, bytes.length)), schema), canonicalRow(row, schema));
      }
    }),
    { numRuns: 100 },
  );
});
