import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  binary,
  bool,
  encodedStruct,
  encodeThrift,
  i32,
  i64,
  list,
  struct,
  ThriftReader,
  type Thrift,
} from './thrift.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;

/** With integers of `offset` in fields 3 and 9.2 and in the items of 10. */
const valuesWith = (offset: number) =>
  struct({
    1: bool(true),
    2: bool(false),
    3: i64(offset),
    4: i32(2 ** 31 - 1),
    5: undefined,
    6: binary('text'),
    7: list([]),
    8: list(Array.from({ length: 20 }, (_, index) => i32(index))),
    9: struct({ 1: struct({}), 2: i64(offset), 3: i64(offset) }),
    10: list([struct({ 1: i64(offset) }), struct({ 1: i64(offset), 2: bool(true) })]),
    // Further on than what fits beside the type.
    40: list([binary('a'), binary('b')]),
  });
const OFFSETS = { 3: true, 9: { 2: true }, 10: { 1: true } } as const;

test('the bytes of the compact protocol', () => {
  const cases: readonly (readonly [Thrift, string])[] = [
    [struct({}), '00'],
    [struct({ 1: bool(true), 2: bool(false), 20: i32(1), 36: i64(64) }), '11120528020648800100'],
    [list([]), '0c'],
    [list([binary('é'), binary(Buffer.from([0]))]), '2802c3a90100'],
    [list(Array.from({ length: 15 }, () => i32(0))), `f50f${'00'.repeat(15)}`],
  ];
  for (const [value, bytes] of cases) assert.equal(encodeThrift(value).toString('hex'), bytes);
});

test('what is written is read, up to the largest number that is exact', () => {
  for (const number of [0, 1, 63, 64, 2 ** 31, 2 ** 32 - 1, 2 ** 32, LARGEST]) {
    const reader = new ThriftReader(encodeThrift(struct({ 1: list([i64(number)]), 20: i32(7) })));
    const found: number[] = [];
    for (const id of reader.fields()) {
      if (id === 20) found.push(reader.integer());
      else for (const item of reader.items()) found.push(item.integer());
    }
    assert.deepEqual(found, [number, 7]);
  }
});

test('values are copied as they stand', () => {
  const bytes = encodeThrift(valuesWith(5));
  const fields: Record<number, Thrift> = {};
  const reader = new ThriftReader(bytes);
  for (const id of reader.fields()) fields[id] = reader.value();
  assert.deepEqual(encodeThrift(struct(fields)), bytes);
  const inner = struct({ 1: encodedStruct(valuesWith(5)), 2: list([encodedStruct(valuesWith(5))]) });
  assert.deepEqual(encodeThrift(inner), encodeThrift(struct({ 1: valuesWith(5), 2: list([valuesWith(5)]) })));
});

test('offsets are raised, and nothing else', () => {
  for (const by of [0, 1, 123_456_789_012]) {
    const raised = new ThriftReader(encodeThrift(valuesWith(5))).raised(OFFSETS, by);
    const expected = struct({
      ...(valuesWith(5 + by) as { value: object }).value,
      9: struct({ 1: struct({}), 2: i64(5 + by), 3: i64(5) }),
    });
    assert.deepEqual(encodeThrift(raised), encodeThrift(expected));
  }
});

test('bytes that end too early, and such that are no Thrift of ours, are refused', () => {
  const bytes = encodeThrift(valuesWith(5));
  for (let length = 0; length < bytes.length; length += 1) {
    const part = bytes.subarray(0, length);
    assert.throws(() => new ThriftReader(part).value(), RangeError, `${length} bytes`);
    assert.throws(() => new ThriftReader(part).raised(OFFSETS, 1), RangeError, `${length} bytes`);
  }
  const refused = (bytes: readonly number[], cause: RegExp) =>
    assert.throws(() => new ThriftReader(Buffer.from(bytes)).raised(OFFSETS, 1), {
      name: 'RangeError',
      message: cause,
    });
  refused([0x1e, 0], /unknown type/);
  refused([0x19, 0x11, 1, 0], /booleans/);
  refused([0x38, 1, 0x61, 0], /type 8 where 6/);
  // -1; what is more than a number holds; more bytes than any number takes.
  refused([0x36, 0x01, 0], /no size/);
  refused([0x36, ...encodeThrift(i64(LARGEST)), 0], /no size/);
  refused([0x36, ...Array<number>(9).fill(0xff), 0x01, 0], /too long/);
  for (const number of [-1, 0.5, LARGEST + 1]) assert.throws(() => encodeThrift(i64(number)), RangeError);
});
