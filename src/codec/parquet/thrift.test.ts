import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeFooter, END_BYTES, footerLength } from './footer.ts';
import {
  binary,
  bool,
  decodeThrift,
  encodedStruct,
  encodeThrift,
  i32,
  i64,
  list,
  struct,
  structFrom,
} from './thrift.ts';

const VALUES = struct({
  1: bool(true),
  2: bool(false),
  3: i32(-1),
  4: i64(2n ** 63n - 1n),
  5: i64(-(2n ** 63n)),
  6: binary('text'),
  7: list([]),
  8: list(Array.from({ length: 20 }, (_, index) => i32(index))),
  // Further on than what fits beside the type.
  40: struct({ 1: struct({}), 2: list([struct({ 1: i32(1) }), struct({ 1: i32(2) })]) }),
});

const FOREIGN = join(import.meta.dirname, '../../../node_modules/vega-datasets/data/flights-3m.parquet');

test('what is written is read', () => {
  assert.deepEqual(structFrom(decodeThrift(encodeThrift(VALUES))), VALUES);
  const inner = struct({ 1: encodedStruct(VALUES), 2: list([encodedStruct(VALUES)]) });
  assert.deepEqual(structFrom(decodeThrift(encodeThrift(inner))), struct({ 1: VALUES, 2: list([VALUES]) }));
});

test('the footer of another writer is written again byte for byte', async () => {
  const file = await open(FOREIGN);
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, 1024 * 1024));
  await file.read(tail, 0, tail.length, size - tail.length);
  await file.close();
  const footer = tail.subarray(tail.length - END_BYTES - footerLength(tail), tail.length - END_BYTES);
  assert.ok(footer.length > 1000);
  assert.deepEqual(encodeThrift(structFrom(decodeFooter(tail))), footer);
});

test('bytes that end too early, and such that are no Thrift, are refused', () => {
  const bytes = encodeThrift(VALUES);
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => decodeThrift(bytes.subarray(0, length)), RangeError, `${length} bytes`);
  }
  assert.throws(() => decodeThrift(Buffer.from([0x1e, 0])), /unknown type/);
  assert.throws(() => decodeThrift(Buffer.alloc(100, 0x1c)), /nested too deeply/);
  // A list of more items than there are bytes.
  assert.throws(() => decodeThrift(Buffer.from([0x19, 0xf5, 0xff, 0xff, 0xff, 0x0f, 0])), /longer than its bytes/);
});
