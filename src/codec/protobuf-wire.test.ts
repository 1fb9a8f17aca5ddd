import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { isDomainError } from '../model/errors.ts';
import { bytesTag, varintBytes, varintTag, WireReader, writeVarint } from './protobuf-wire.ts';

const number = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const safe = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

/** Every field that a reader finds, with what it says about it. */
function fieldsOf(bytes: Buffer): unknown[] {
  const reader = new WireReader(bytes);
  const fields: unknown[] = [];
  while (reader.next()) {
    const { tag, value, start, length } = reader;
    fields.push((tag & 7) === 0 ? { tag, value } : { tag, bytes: bytes.toString('hex', start, start + length) });
  }
  return fields;
}

test('fields come back as the library wrote them; those of other wire types are skipped', () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant('varint' as const), number, value: safe }),
    fc.record({ kind: fc.constant('bytes' as const), number, bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ kind: fc.constant('skipped' as const), number, type: fc.constantFrom(1, 3, 5) }),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
      const writer = protobuf.Writer.create();
      const expected: unknown[] = [];
      for (const item of fields) {
        if (item.kind === 'varint') {
          writer.uint32(varintTag(item.number) >>> 0).uint64(item.value);
          expected.push({ tag: item.number * 8, value: item.value });
        } else if (item.kind === 'bytes') {
          writer.uint32(bytesTag(item.number) >>> 0).bytes(item.bytes);
          expected.push({ tag: item.number * 8 + 2, bytes: Buffer.from(item.bytes).toString('hex') });
        } else {
          writer.uint32((item.number * 8 + item.type) >>> 0);
          if (item.type === 1) writer.fixed64(7);
          else if (item.type === 5) writer.fixed32(7);
          // A group with a field and a group in it.
          else
            writer
              .uint32(8)
              .uint32(1)
              .uint32(19)
              .uint32(20)
              .uint32((item.number * 8 + 4) >>> 0);
        }
      }
      assert.deepEqual(fieldsOf(Buffer.from(writer.finish())), expected);
    }),
  );
});

test('any bytes are read to their end or refused as no message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        fieldsOf(Buffer.from(bytes));
      } catch (error) {
        assert.ok(isDomainError(error, 'InvalidBody'), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

const groups = (depth: number) => [...new Array<number>(depth).fill(0x0b), ...new Array<number>(depth).fill(0x0c)];

test('what is no message', () => {
  assert.deepEqual(fieldsOf(Buffer.from(groups(100))), []);
  const broken: Record<string, number[]> = {
    'a tag without its field': [0x08],
    'a varint without end': [0x08, 0x80],
    'a varint of eleven bytes': [0x08, ...new Array<number>(10).fill(0x80), 0],
    'bytes that are not there': [0x0a, 2, 1],
    'a fixed number that is cut off': [0x0d, 0, 0, 0],
    'a long fixed number that is cut off': [0x09, 0, 0, 0, 0, 0, 0, 0],
    'field number 0': [0x00, 0x00],
    'wire type 6': [0x0e],
    'a group without end': [0x0b],
    'an end without its group': [0x0c],
    'a group that ends as another': [0x0b, 0x14],
    'groups in groups without measure': groups(101),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    assert.throws(() => fieldsOf(Buffer.from(bytes)), /must be a protobuf message/, what);
  }
});

test('a negative number is too large a one', () => {
  const writer = protobuf.Writer.create().uint32(varintTag(29)).int64(-1);
  const [field] = fieldsOf(Buffer.from(writer.finish())) as { value: number }[];
  assert.ok(field!.value > Number.MAX_SAFE_INTEGER);
});

test('a message within others goes from one end of it to the other', () => {
  const bytes = Buffer.from([0x08, 1, 0x08, 2, 0x08, 3]);
  const reader = new WireReader(bytes, 2, 4);
  assert.ok(reader.next());
  assert.equal(reader.value, 2);
  assert.ok(!reader.next());
  reader.move(0, 2);
  assert.ok(reader.next());
  assert.equal(reader.value, 1);
  const cut = new WireReader(Buffer.from([0x0a, 1, 7]), 0, 2);
  assert.throws(() => cut.next(), /must be a protobuf message/);
});

test('varints are written as the library writes them', () => {
  fc.assert(
    fc.property(safe, (value) => {
      const expected = Buffer.from(protobuf.Writer.create().uint64(value).finish());
      const target = Buffer.alloc(12);
      assert.equal(writeVarint(target, value, 1), 1 + expected.length);
      assert.equal(varintBytes(value), expected.length);
      assert.deepEqual(target.subarray(1, 1 + expected.length), expected);
    }),
  );
});
