import assert from 'node:assert/strict';
import test from 'node:test';
import { ConversionError } from '../../model/conversion-error.ts';
import { memberGetter } from './own-member.ts';
import { csvMembers, jsonMembers, memberReader, type MemberReader } from './record-members.ts';
import type { Column, RowSchema } from './row-schema.ts';

function read(reader: MemberReader, payload: string | Buffer) {
  // Within something larger, as records are.
  const bytes = Buffer.concat([Buffer.from('{"x'), Buffer.from(payload), Buffer.from('"}')]);
  return reader(bytes, 3, bytes.length - 2);
}

function refused(reader: MemberReader, payload: string | Buffer, message: RegExp) {
  assert.throws(
    () => read(reader, payload),
    (error) => error instanceof ConversionError && message.test(error.message),
  );
}

const json = jsonMembers(undefined);

test('a JSON record is an object', () => {
  assert.deepEqual(read(json, '{"a":1,"b":[true,null],"c":{"d":"😀"}}'), { a: 1, b: [true, null], c: { d: '😀' } });
  assert.deepEqual(read(json, ' {} \n'), {});
  assert.deepEqual(read(json, '\ufeff{"a":1}'), { a: 1 });
  refused(json, '', /^not JSON: /);
  refused(json, 'hello', /^not JSON: /);
  refused(json, '{"a":1}{"a":2}', /^not JSON: /);
  refused(json, '{"a":NaN}', /^not JSON: /);
  refused(json, '[1]', /found an array/);
  refused(json, 'null', /found null/);
  refused(json, '"text"', /found "text"/);
  refused(json, '17', /found 17/);
});

test('bytes that are no UTF-8 are told from the character that stands for them', () => {
  assert.deepEqual(read(json, '{"a":"\uFFFD"}'), { a: '\uFFFD' });
  const parts = [Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')];
  refused(json, Buffer.concat(parts), /^not UTF-8$/);
  // A surrogate on its own, as some encoders write it, and a character that is cut off.
  parts[1] = Buffer.from([0xed, 0xa0, 0x80]);
  refused(json, Buffer.concat(parts), /^not UTF-8$/);
  refused(csvMembers(undefined, ','), Buffer.from('a,😀').subarray(0, -1), /^not UTF-8$/);
});

test('of a name that comes twice the last counts, and no name is special', () => {
  assert.deepEqual(read(json, '{"a":1,"a":2}'), { a: 2 });
  const members = read(json, '{"__proto__":{"b":1},"constructor":2}');
  assert.deepEqual(memberGetter('__proto__')(members), { b: 1 });
  assert.equal(memberGetter('constructor')(members), 2);
  assert.equal(members['b'], undefined);
  assert.equal(memberGetter('toString')(members), undefined);
  assert.equal(memberGetter('__proto__')(read(json, '{}')), undefined);
});

test('digits beyond those of a double are kept where a column can have them', () => {
  const decimal = schemaOf({ type: { kind: 'decimal', precision: 20, scale: 18 } });
  assert.equal(String(read(json, '{"a":9007199254740993}')['a']), '9007199254740993');
  assert.equal(String(read(json, '{"a":9.007199254740993e15}')['a']), '9.007199254740993e15');
  assert.equal(read(json, '{"a":8999999999999999}')['a'], 8999999999999999);
  assert.equal(read(json, '{"a":0.1234567890123456789}')['a'], 0.12345678901234568);
  assert.equal(String(read(jsonMembers(decimal), '{"a":0.1234567890123456789}')['a']), '0.1234567890123456789');
});

function schemaOf(...columns: readonly Partial<Column>[]): RowSchema {
  return {
    columns: columns.map((column, index) => ({
      name: `m${index + 1}`,
      type: { kind: 'string' },
      nullable: false,
      ...column,
    })),
  };
}

test('fields of a CSV record have the names of the columns', () => {
  const reader = csvMembers(schemaOf({}, { name: '__proto__' }, { nullable: true }, { default: 'x' }), ';');
  const members = read(reader, 'a;"b;c";;\r\n');
  assert.deepEqual(Object.entries(members), [
    ['m1', 'a'],
    ['__proto__', 'b;c'],
    ['m3', null],
    ['m4', null],
  ]);
  assert.deepEqual(Object.keys(read(reader, 'a;b')), ['m1', '__proto__']);
  refused(reader, 'a', /^CSV: 1 fields where at least 2 are needed$/);
  refused(reader, 'a;b;c;d;e', /^CSV: 5 fields for 4 columns$/);
});

test('without a schema the fields are c1, c2, …', () => {
  const reader = memberReader('CSV', undefined, ',');
  assert.deepEqual(read(reader, 'a,,""'), { c1: 'a', c2: null, c3: '' });
  assert.deepEqual(read(reader, '\ufeffa'), { c1: '\ufeffa' });
  assert.deepEqual(read(reader, '1,2,3,4'), { c1: '1', c2: '2', c3: '3', c4: '4' });
});
