import assert from 'node:assert/strict';
import test from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import { rowSchemas } from '../../../test/support/arbitrary-rows.ts';
import { isDomainError } from '../../model/errors.ts';
import { parseAvroSchema } from './avro-schema.ts';
import { MAX_COLUMNS, MAX_NESTING, type Column, type ColumnType } from './row-schema.ts';

/** The one column of a record whose field `a` is of `type`. */
function columnOf(type: unknown, more: object = {}): Column {
  const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type, ...more }] };
  return parseAvroSchema(JSON.stringify(schema)).columns[0]!;
}

function refused(schema: unknown, message: string | RegExp) {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  assert.throws(
    () => parseAvroSchema(text),
    (error) => {
      assert.ok(isDomainError(error, 'InvalidSchema') && error.code === 'DIS.4360');
      if (typeof message === 'string') {
        assert.equal(error.message, `The data schema is invalid. [data_schema][${message}]`);
      } else assert.match(error.message, message);
      return true;
    },
    text,
  );
}

function refusedField(type: unknown, message: string, more: object = {}) {
  refused({ type: 'record', name: 'R', fields: [{ name: 'a', type, ...more }] }, `fields.a: ${message}`);
}

test('a schema as the console of DIS makes it of a sample', () => {
  const text =
    '{"type":"record","name":"RecordName","fields":[{"name":"id","type":"string","doc":"Type inferred from \'\\"2017/10/11' +
    ' 11:11:11\\"\'"},{"name":"info","type":{"type":"array","items":{"type":"record","name":"info","fields":[{"name":"date",' +
    '"type":"string","doc":"x"},{"name":"value","type":["null","double"],"default":null}]}}}]}';
  assert.deepEqual(parseAvroSchema(text), {
    columns: [
      { name: 'id', type: { kind: 'string' }, nullable: false },
      {
        name: 'info',
        type: {
          kind: 'array',
          items: {
            name: 'element',
            type: {
              kind: 'record',
              columns: [
                { name: 'date', type: { kind: 'string' }, nullable: false },
                { name: 'value', type: { kind: 'double' }, nullable: true, default: null },
              ],
            },
            nullable: false,
          },
        },
        nullable: false,
      },
    ],
  });
});

test('unions: null beside a type, or numbers', () => {
  assert.deepEqual(columnOf(['null', 'string']), { name: 'a', type: { kind: 'string' }, nullable: true });
  assert.deepEqual(columnOf(['string', 'null']), { name: 'a', type: { kind: 'string' }, nullable: true });
  assert.deepEqual(columnOf(['string']), { name: 'a', type: { kind: 'string' }, nullable: false });
  assert.deepEqual(columnOf([{ type: 'array', items: 'int' }, 'null']).nullable, true);
  assert.deepEqual(columnOf(['int', 'long']).type, { kind: 'long' });
  assert.deepEqual(columnOf(['int', 'float']).type, { kind: 'double' });
  assert.deepEqual(columnOf(['null', 'long', 'int', 'double']), {
    name: 'a',
    type: { kind: 'double' },
    nullable: true,
  });
  refusedField(['string', 'int'], 'a union of string and int is no type of a column');
  refusedField(['null'], 'null alone is no type of a column');
  refusedField('null', 'null alone is no type of a column');
  refusedField([], 'null alone is no type of a column');
  refusedField(['null', 'int', 'null'], 'a union has null twice');
  refusedField(['int', ['null', 'long']], 'a union contains a union');
  const time = { type: 'long', logicalType: 'timestamp-millis' };
  refusedField([time, 'int'], 'a union of timestamp and int is no type of a column');
});

test('logical types', () => {
  const types: [string, string, ColumnType][] = [
    ['int', 'date', { kind: 'date' }],
    ['int', 'time-millis', { kind: 'time', unit: 'millis' }],
    ['long', 'time-micros', { kind: 'time', unit: 'micros' }],
    ['long', 'timestamp-millis', { kind: 'timestamp', unit: 'millis', utc: true }],
    ['long', 'timestamp-micros', { kind: 'timestamp', unit: 'micros', utc: true }],
    ['long', 'local-timestamp-millis', { kind: 'timestamp', unit: 'millis', utc: false }],
    ['long', 'local-timestamp-micros', { kind: 'timestamp', unit: 'micros', utc: false }],
    ['string', 'uuid', { kind: 'uuid' }],
    // Not known, or not on this type: ignored.
    ['long', 'timestamp-nanos', { kind: 'long' }],
    ['int', 'timestamp-millis', { kind: 'int' }],
    ['int', 'decimal', { kind: 'int' }],
    ['int', 'constructor', { kind: 'int' }],
  ];
  for (const [type, logicalType, expected] of types) assert.deepEqual(columnOf({ type, logicalType }).type, expected);
  const decimal = (precision: unknown, scale?: unknown) => ({
    type: 'bytes',
    logicalType: 'decimal',
    precision,
    scale,
  });
  assert.deepEqual(columnOf(decimal(38, 38)).type, { kind: 'decimal', precision: 38, scale: 38 });
  assert.deepEqual(columnOf(decimal(1)).type, { kind: 'decimal', precision: 1, scale: 0 });
  refusedField(decimal(39, 0), 'precision must be a whole number from 1 to 38');
  refusedField(decimal(0, 0), 'precision must be a whole number from 1 to 38');
  refusedField(decimal('9', 0), 'precision must be a whole number from 1 to 38');
  refusedField(decimal(5, 6), 'scale must be a whole number from 0 to 5');
  refusedField(decimal(5, -1), 'scale must be a whole number from 0 to 5');
  const fixed = (size: number, precision: number) => ({ ...decimal(precision), type: 'fixed', name: 'F', size });
  assert.deepEqual(columnOf(fixed(2, 4)).type, { kind: 'decimal', precision: 4, scale: 0 });
  refusedField(fixed(2, 5), 'precision must be a whole number from 1 to 4');
  assert.deepEqual(columnOf({ type: 'fixed', name: 'F', size: 16, logicalType: 'uuid' }).type, { kind: 'uuid' });
  assert.deepEqual(columnOf({ type: 'fixed', name: 'F', size: 12, logicalType: 'uuid' }).type, {
    kind: 'fixed',
    size: 12,
  });
  refusedField('long', 'logicalType belongs into the type: {"type": {"type": …}}', { logicalType: 'timestamp-millis' });
});

test('named types are known from where they are defined on, by their full names', () => {
  const zip = { type: 'record', name: 'org.a.Zip', fields: [{ name: 'code', type: 'int' }] };
  const schema = (second: unknown, more: object = {}) => ({
    type: 'record',
    name: 'R',
    ...more,
    fields: [
      { name: 'a', type: zip },
      { name: 'b', type: second },
    ],
  });
  for (const { columns } of [
    parseAvroSchema(JSON.stringify(schema(['null', 'org.a.Zip']))),
    parseAvroSchema(JSON.stringify(schema(['null', 'Zip'], { namespace: 'org.a' }))),
  ]) {
    assert.deepEqual(columns[1], { ...columns[0], name: 'b', nullable: true });
  }
  refused(schema('Zip'), 'fields.b: unknown type "Zip"');
  refused(schema('Later'), 'fields.b: unknown type "Later"');
  refused(schema(zip), 'fields.b: the name org.a.Zip is defined twice');
  refused(schema({ ...zip, name: 'a b' }), /fields\.b: a name must be/);
  refusedField(['null', 'R'], 'R contains itself: recursive types are not supported');
});

test('names and aliases', () => {
  assert.deepEqual(columnOf('int', { aliases: ['user-id', 'id'] }).aliases, ['user-id', 'id']);
  refusedField('int', 'aliases must be a list of names', { aliases: 'id' });
  refusedField('int', 'aliases must be a list of names', { aliases: [''] });
  const fields = (...names: unknown[]) => ({
    type: 'record',
    name: 'R',
    fields: names.map((name) => ({ name, type: 'int' })),
  });
  assert.equal(parseAvroSchema(JSON.stringify(fields('_a', 'A1', 'constructor'))).columns.length, 3);
  for (const name of ['1a', 'a-b', 'a.b', '', 'ä', 17, null])
    refused(fields(name), /^.*a field's name must be letters/);
  refused(fields('a', 'b', 'a'), 'the field a is there twice');
});

test('defaults fit their columns', () => {
  assert.equal(columnOf('int', { default: 7 }).default, 7);
  assert.equal(columnOf('long', { default: '9223372036854775807' }).default, '9223372036854775807');
  assert.deepEqual(columnOf({ type: 'array', items: 'int' }, { default: [] }).default, []);
  assert.equal('default' in columnOf('int'), false);
  assert.equal(columnOf(['null', 'int'], { default: null }).default, null);
  assert.equal(columnOf(['null', 'int'], { default: 7 }).default, 7);
  refusedField('int', 'the default is null, which the type does not allow', { default: null });
  refusedField('int', 'the default does not fit: a: expected a whole number of 32 bits, found "x"', { default: 'x' });
  const record = { type: 'record', name: 'S', fields: [{ name: 'b', type: 'int' }] };
  assert.deepEqual(columnOf(record, { default: { b: 1 } }).default, { b: 1 });
  refusedField(record, 'the default does not fit: a.b: is missing', { default: {} });
  // Beyond what a double holds.
  const max = '{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":9223372036854775807}]}';
  assert.equal(parseAvroSchema(max).columns[0]!.default, '9223372036854775807');
  const third = '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":0.333333333333333333}]}';
  assert.equal(parseAvroSchema(third).columns[0]!.default, 1 / 3);
});

test('what is no schema of records', () => {
  refused('{', 'must be JSON');
  refused('17', 'must be a schema, found 17');
  refused('null', 'must be a schema, found null');
  refused('"int"', 'must be a record at the top');
  refused({ type: 'array', items: 'int' }, 'must be a record at the top');
  refused(['null', { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }], 'must be a record at the top');
  refused({ name: 'R' }, 'has no type');
  refused({ type: 'record', name: 'R' }, 'a record must have fields');
  refused({ type: 'record', name: 'R', fields: [] }, 'a record must have fields');
  refused({ type: 'record', name: 'R', fields: ['a'] }, 'a field must be an object, found "a"');
  refusedField('STRING', 'unknown type "STRING"');
  refusedField(undefined, 'must be a schema, found undefined');
  refusedField('array', 'array must be written {"type": {"type": "array", …}}', { items: 'int' });
  refused(
    { type: 'record', name: 'R', fields: [{ name: 'a', type: { type: 'array' } }] },
    'fields.a.items: must be a schema, found undefined',
  );
  refusedField({ type: 'enum', name: 'E', symbols: [] }, 'an enum must have symbols');
  refusedField({ type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'an enum has a symbol twice');
  refusedField({ type: 'fixed', name: 'F', size: 0 }, 'size must be a whole number from 1 to 1048576');
  refusedField({ type: 'fixed', name: 'F' }, 'size must be a whole number from 1 to 1048576');
});

test('as many columns as there may be', () => {
  const fields = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `f${index}`, type: 'int' }));
  const record = (count: number, name = 'R') => ({ type: 'record', name, fields: fields(count) });
  assert.equal(parseAvroSchema(JSON.stringify(record(MAX_COLUMNS))).columns.length, MAX_COLUMNS);
  refused(record(MAX_COLUMNS + 1), `must have at most ${MAX_COLUMNS} columns`);
  // By name they count each time: doubling them a few times must not take the memory of the server.
  const names = Array.from({ length: 25 }, (_, index) => `N${index}`);
  const doubled = names.map((name, index) => ({
    name: `d${index}`,
    type:
      index === 0
        ? record(1, name)
        : { type: 'record', name, fields: ['a', 'b'].map((a) => ({ name: a, type: names[index - 1] })) },
  }));
  refused({ type: 'record', name: 'R', fields: doubled }, /must have at most 2000 columns/);
});

test('as deep as it may be', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 'int' : { type: 'array', items: nested(levels - 1) });
  assert.ok(columnOf(nested(MAX_NESTING - 1)));
  refused(
    { type: 'record', name: 'R', fields: [{ name: 'a', type: nested(MAX_NESTING) }] },
    /must not be nested deeper than 32/,
  );
  const annotated = (levels: number): unknown => (levels === 0 ? 'int' : { type: annotated(levels - 1) });
  assert.deepEqual(columnOf(annotated(5)).type, { kind: 'int' });
  refusedField(annotated(1000), 'is nested too deep');
});

/** A schema as Avro writes it; every named type gets a name of its own. */
function avroOf(type: ColumnType, names: { next: number }): unknown {
  const name = () => `T${(names.next += 1)}`;
  const union = ({ type, nullable }: Column) => (nullable ? ['null', avroOf(type, names)] : avroOf(type, names));
  switch (type.kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
    case 'bytes':
      return type.kind;
    case 'uuid':
      return { type: 'string', logicalType: 'uuid' };
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: type.unit === 'millis' ? 'int' : 'long', logicalType: `time-${type.unit}` };
    case 'timestamp':
      return { type: 'long', logicalType: `${type.utc ? '' : 'local-'}timestamp-${type.unit}` };
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale };
    case 'enum':
      return { type: 'enum', name: name(), symbols: type.symbols };
    case 'fixed':
      return { type: 'fixed', name: name(), size: type.size };
    case 'array':
      return { type: 'array', items: union(type.items) };
    case 'map':
      return { type: 'map', values: union(type.values) };
    case 'record':
      return {
        type: 'record',
        name: name(),
        fields: type.columns.map((column) => ({ name: column.name, type: union(column) })),
      };
  }
}

/** The same with names that Avro takes. */
function renamed(columns: readonly Column[]): Column[] {
  const inner = (column: Column): Column => ({ ...column, type: renamedWithin(column.type) });
  const renamedWithin = (type: ColumnType): ColumnType => {
    if (type.kind === 'record') return { ...type, columns: renamed(type.columns) };
    if (type.kind === 'array') return { ...type, items: inner(type.items) };
    return type.kind === 'map' ? { ...type, values: inner(type.values) } : type;
  };
  return columns.map((column, index) => ({ ...inner(column), name: `c${index}` }));
}

test('whatever the columns, the schema that says them is read, and is one for the reference implementation', () => {
  fc.assert(
    fc.property(rowSchemas(), (schema) => {
      const columns = renamed(schema.columns);
      const avro = avroOf({ kind: 'record', columns }, { next: 0 });
      assert.ok(avsc.Type.forSchema(avro as avsc.Schema));
      assert.deepEqual(parseAvroSchema(JSON.stringify(avro)), { columns });
    }),
    { numRuns: 300 },
  );
});
