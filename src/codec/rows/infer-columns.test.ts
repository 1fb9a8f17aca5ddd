import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConversionError } from '../../model/conversion-error.ts';
import { ColumnLearner, mergeColumns } from './infer-columns.ts';
import { csvMembers, jsonMembers, type Members } from './record-members.ts';
import { compileRows } from './row-converter.ts';
import { MAX_COLUMNS, MAX_NESTING, type Column, type ColumnType, type RowSchema } from './row-schema.ts';

function membersOf(json: string): Members {
  const bytes = Buffer.from(json);
  return jsonMembers(undefined)(bytes, 0, bytes.length);
}

/** What the records, which all fit, have told. */
function learned(...records: readonly string[]): string | undefined {
  const learner = new ColumnLearner(undefined, 'JSON');
  for (const record of records) learner.learn(membersOf(record));
  const schema = learner.schema();
  return schema && describe(schema.columns);
}

/** In short, such as `a:double b:[string] c:{d:boolean}`. */
function describe(columns: readonly Column[]): string {
  const typeText = (type: ColumnType): string => {
    if (type.kind === 'record') return `{${describe(type.columns)}}`;
    return type.kind === 'array' ? `[${typeText(type.items.type)}]` : type.kind;
  };
  return columns.map(({ name, type }) => `${name}:${typeText(type)}`).join(' ');
}

test('what each kind of value becomes', () => {
  assert.equal(learned('{"a":true,"b":1,"c":"x","d":-1.5e3}'), 'a:boolean b:double c:string d:double');
  assert.equal(learned('{"a":12345678901234567890,"b":{"c":[[1],[]],"d":"x"}}'), 'a:double b:{c:[[double]] d:string}');
  assert.equal(learned('{"a":[{"b":1},{"c":2},{"b":3}]}'), 'a:[{b:double c:double}]');
});

test('every column may be null', () => {
  const learner = new ColumnLearner(undefined, 'JSON');
  learner.learn(membersOf('{"a":[{"b":1}]}'));
  const check = ({ type, nullable }: Column): void => {
    assert.equal(nullable, true);
    if (type.kind === 'array') check(type.items);
    if (type.kind === 'record') type.columns.forEach(check);
  };
  learner.schema()!.columns.forEach(check);
});

test('what has nothing in it is no column until it has', () => {
  assert.equal(learned(), undefined);
  const nothing = ['{}', '{"a":null}', '{"a":{}}', '{"b":[]}', '{"c":[null,null]}', '{"a":{"x":[{}]}}'];
  for (const record of nothing) {
    assert.throws(() => learned(record), { name: 'ConversionError', message: 'no member has a value yet' });
    assert.equal(
      learned('{"z":1}', record, '{"b":"x","a":true,"c":2}'),
      'z:double b:string a:boolean c:double',
      record,
    );
  }
  const learner = new ColumnLearner(undefined, 'JSON');
  for (const record of nothing) assert.throws(() => learner.learn(membersOf(record)));
  learner.learn(membersOf('{"c":1,"a":"x","b":{"d":2}}'));
  assert.equal(describe(learner.schema()!.columns), 'c:double a:string b:{d:double}');
  assert.equal(
    learned('{"b":1,"a":[]}', '{"a":{"x":[]}}', '{"c":true,"a":{"y":1}}'),
    'b:double c:boolean a:{y:double}',
  );
});

test('what has nothing in it is null in a column of another kind, whichever came first', () => {
  const kinds = { boolean: true, double: 1, string: 'x', record: { x: 1 }, array: [1] };
  for (const [kind, value] of Object.entries(kinds)) {
    for (const empty of [{}, [], { y: [{}, null] }, [[null]]]) {
      if (kind === (Array.isArray(empty) ? 'array' : 'record')) continue;
      for (const [one, other] of [
        [value, empty],
        [empty, value],
      ]) {
        const learner = new ColumnLearner(undefined, 'JSON');
        learner.learn({ b: 1, a: one, c: [one] });
        learner.learn({ b: 2, a: other, c: [other] });
        const toRow = compileRows(learner.schema()!, 'JSON');
        assert.deepEqual(toRow({ b: 1, a: empty, c: [empty] }), toRow({ b: 1, a: null, c: [null] }));
      }
    }
  }
});

test('a column stays what it was first seen as, and a record that does not fit tells nothing', () => {
  const values = { boolean: 'true', double: '1', string: '"x"', record: '{"x":1}', array: '[1]' };
  for (const [first, value] of Object.entries(values)) {
    for (const [second, other] of Object.entries({ ...values, record2: '{}', array2: '[]' })) {
      const learner = new ColumnLearner(undefined, 'JSON');
      learner.learn(membersOf(`{"a":${value}}`));
      const before = learner.schema();
      const learn = () => learner.learn(membersOf(`{"new":1,"a":${other},"newer":{"b":2}}`));
      if (second.startsWith(first)) learn();
      // With nothing in it, it is null (see above).
      else if (second.endsWith('2')) learn();
      else {
        assert.throws(learn, ConversionError, `${first} ${second}`);
        assert.deepEqual(learner.schema(), before);
      }
    }
  }
  const learner = new ColumnLearner(undefined, 'JSON');
  learner.learn(membersOf('{"a":{"b":[1]}}'));
  const reasons: Record<string, string> = {
    '{"a":{"b":["x"]}}': 'a.b[]: was first seen as a number, found "x"',
    '{"a":{"b":[1],"c":"\\ud800"}}': 'a.c: expected a string of well-formed Unicode',
    '{"a":{"b":[1e999]}}': 'a.b[]: expected a number, found a number too large for a double',
    '{"a":7}': 'a: was first seen as an object, found 7',
    '{"":7}': ': a column cannot have this name',
    '{"a":{"\\udc00":7}}': 'a.\udc00: a column cannot have this name',
    '{"n":[1,true]}': 'n[]: was first seen as a number, found true',
  };
  for (const [record, message] of Object.entries(reasons)) {
    assert.throws(() => learner.learn(membersOf(record)), { message });
  }
  assert.equal(describe(learner.schema()!.columns), 'a:{b:[double]}');
});

test('what is known already stays, and only what is new counts as growth', () => {
  const first = new ColumnLearner(undefined, 'JSON');
  first.learn(membersOf('{"b":1,"a":{"x":1}}'));
  const base = first.schema();
  const learner = new ColumnLearner(base, 'JSON');
  assert.equal(learner.grown, false);
  assert.deepEqual(learner.schema(), base);
  learner.learn(membersOf('{"a":{"x":2},"c":null,"d":{},"b":3}'));
  assert.equal(learner.grown, false);
  assert.throws(() => learner.learn(membersOf('{"z":1,"b":"x"}')));
  assert.equal(learner.grown, false);
  learner.learn(membersOf('{"c":1,"a":{"y":2}}'));
  assert.equal(learner.grown, true);
  assert.equal(describe(learner.schema()!.columns), 'b:double a:{x:double y:double} c:double');
});

test('as many columns and as deep as a schema may be', () => {
  const wide = (count: number) =>
    membersOf(JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index]))));
  const learner = new ColumnLearner(undefined, 'JSON');
  learner.learn(wide(MAX_COLUMNS));
  assert.throws(() => learner.learn(membersOf('{"more":1}')), { message: 'more: there are 2000 columns already' });
  assert.throws(() => new ColumnLearner(undefined, 'JSON').learn(wide(MAX_COLUMNS + 1)), ConversionError);
  const deep = (levels: number) => membersOf(`{"a":${'['.repeat(levels)}1${']'.repeat(levels)}}`);
  new ColumnLearner(undefined, 'JSON').learn(deep(MAX_NESTING - 1));
  assert.throws(() => new ColumnLearner(undefined, 'JSON').learn(deep(MAX_NESTING)), {
    message: /nested deeper than 32/,
  });
  assert.throws(() => new ColumnLearner(undefined, 'JSON').learn(deep(100_000)), ConversionError);
});

test('what was found in records of another source counts for nothing', () => {
  const learner = new ColumnLearner(undefined, 'JSON');
  learner.learn({ c1: 1, b: 'x' });
  const ofJson = learner.schema()!;
  const csv = new ColumnLearner(ofJson, 'CSV');
  assert.equal(csv.schema(), undefined);
  csv.learn({ c1: 'a', c2: null });
  assert.equal(csv.grown, true);
  const ofCsv = csv.schema()!;
  assert.equal(describe(ofCsv.columns), 'c1:string c2:string');
  assert.deepEqual(mergeColumns(ofJson, ofCsv), ofCsv);
  assert.deepEqual(mergeColumns(ofCsv, ofJson), ofJson);
});

test('columns of which nobody knows the source count, and a field of CSV that does not fit is an error of its record', () => {
  const base: RowSchema = { columns: [{ name: 'c1', type: { kind: 'double' }, nullable: true }] };
  const learner = new ColumnLearner(base, 'CSV');
  learner.learn({ c1: null, c2: 'x' });
  assert.throws(() => learner.learn({ c1: '7', c3: 'x' }), { message: 'c1: was first seen as a number, found "7"' });
  assert.equal(describe(learner.schema()!.columns), 'c1:double c2:string');
});

test('merged columns are as many as there may be, and what is too much is left out', () => {
  const wide = (start: string, count: number): RowSchema => {
    const learner = new ColumnLearner(undefined, 'JSON');
    const names = Array.from({ length: count }, (_, index) => `${start}${index}`);
    learner.learn(Object.fromEntries(names.map((name) => [name, 1])));
    return learner.schema()!;
  };
  const known = wide('a', MAX_COLUMNS - 3);
  const merged = mergeColumns(known, wide('b', MAX_COLUMNS));
  assert.deepEqual(
    merged.columns.slice(-3).map(({ name }) => name),
    ['b0', 'b1', 'b2'],
  );
  assert.equal(merged.columns.length, MAX_COLUMNS);
  assert.deepEqual(mergeColumns(merged, wide('c', 1)), merged);
  const learner = new ColumnLearner(undefined, 'JSON');
  learner.learn({ r: { x: 1, y: [1] }, s: [1], t: 1 });
  // The record with what is in it is four columns, the array two.
  const tight = mergeColumns(known, learner.schema()!);
  assert.equal(describe(tight.columns.slice(MAX_COLUMNS - 3)), 's:[double] t:double');
});

test('fields of CSV are strings, whether they are empty or not', () => {
  const read = csvMembers(undefined, ',');
  const learner = new ColumnLearner(undefined, 'CSV');
  for (const line of ['a,,1', 'b', ',,,""']) learner.learn(read(Buffer.from(line), 0, line.length));
  assert.equal(describe(learner.schema()!.columns), 'c1:string c2:string c3:string c4:string');
});

const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString');
const values: fc.Memo<unknown> = fc.memo((depth) => {
  const leaf = fc.constantFrom<unknown>(null, true, 1, 1e400, 'x', '\ud800');
  if (depth <= 1) return leaf;
  return fc.oneof(leaf, fc.array(values(), { maxLength: 3 }), fc.dictionary(names, values(), { maxKeys: 3 }));
});
const records = fc.array(fc.dictionary(names, values(3), { maxKeys: 4 }), { maxLength: 8 });

/** Learns as a cut does: a record that does not fit is left out. */
function learnAll(learner: ColumnLearner, all: readonly Members[]): Members[] {
  return all.filter((members) => {
    try {
      learner.learn(members);
      return true;
    } catch (error) {
      assert.ok(error instanceof ConversionError);
      return false;
    }
  });
}

function schemaOf(base: RowSchema | undefined, all: readonly Members[]): RowSchema | undefined {
  const learner = new ColumnLearner(base, 'JSON');
  learnAll(learner, all);
  return learner.schema();
}

test('the same records make the same columns, each record that was taken becomes a row of them, and no other counts', () => {
  fc.assert(
    fc.property(records, (all) => {
      const learner = new ColumnLearner(undefined, 'JSON');
      const taken = learnAll(learner, all);
      const schema = learner.schema();
      assert.deepEqual(schemaOf(undefined, all), schema);
      assert.deepEqual(schemaOf(undefined, taken), schema);
      if (schema === undefined) return;
      const toRow = compileRows(schema, 'JSON');
      for (const members of taken) toRow(members);
    }),
    { numRuns: 1000 },
  );
});

test('what was known stays as and where it was, whatever comes', () => {
  fc.assert(
    fc.property(records, records, (before, after) => {
      const known = schemaOf(undefined, before);
      const later = schemaOf(known, after);
      if (known === undefined) return;
      assertContains(later!, known);
      assert.equal(new ColumnLearner(later, 'JSON').grown, false);
    }),
    { numRuns: 500 },
  );
});

test('merging adds what is new, changes nothing that is known, and adds it once', () => {
  fc.assert(
    fc.property(records, records, (here, there) => {
      const known = schemaOf(undefined, here);
      const other = schemaOf(undefined, there);
      if (other === undefined) return;
      const merged = mergeColumns(known, other);
      if (known !== undefined) assertContains(merged, known);
      assert.deepEqual(mergeColumns(merged, other), merged);
      assert.deepEqual(mergeColumns(merged, merged), merged);
      for (const { name } of other.columns) assert.ok(merged.columns.some((column) => column.name === name));
      // Learning on from what was known is the same as merging what it found.
      const onward = schemaOf(known, there);
      if (known !== undefined && onward !== undefined) assert.deepEqual(mergeColumns(known, onward), onward);
    }),
    { numRuns: 500 },
  );
});

/** `known` is the beginning of `schema`, at every level. */
function assertContains({ columns }: RowSchema, known: RowSchema): void {
  for (const [index, column] of known.columns.entries()) {
    const { name, type } = columns[index]!;
    assert.equal(name, column.name);
    assert.equal(type.kind, column.type.kind);
    if (type.kind === 'record' && column.type.kind === 'record') assertContains(type, column.type);
    if (type.kind === 'array' && column.type.kind === 'array') {
      assertContains({ columns: [type.items] }, { columns: [column.type.items] });
    }
  }
}
