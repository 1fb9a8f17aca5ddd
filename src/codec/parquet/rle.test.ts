import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../../test/support/seed.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { bitWidth, writeHybrid } from './rle.ts';

const seed = testSeed();

test('the bits that the values up to a limit need', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 255, 256].map(bitWidth), [0, 1, 2, 2, 3, 8, 9]);
});

test('runs and single values are found again, of every width', () => {
  const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 24 - 1 }), fc.integer({ min: 1, max: 20 })));
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 24 }), (parts, width) => {
      const values = parts.flatMap(([value, count]) => Array.from({ length: count }, () => value % 2 ** width));
      const buffer = new ByteBuffer();
      writeHybrid(buffer, Uint32Array.from(values), values.length, width);
      assert.deepEqual(read(buffer.written, width, values.length), values);
    }),
    { seed, numRuns: 500 },
  );
});

test('a long run takes a few bytes', () => {
  const buffer = new ByteBuffer();
  writeHybrid(buffer, new Uint8Array(100_000).fill(1), 100_000, 1);
  assert.equal(buffer.length, 4);
});

/** Plainly, bit by bit. Only the last packed run may have more values than are wanted. */
function read(bytes: Buffer, width: number, count: number): number[] {
  const values: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    assert.ok(values.length < count, 'a run too many');
    let head = 0;
    let shift = 0;
    do {
      head |= (bytes[at]! & 0x7f) << shift;
      shift += 7;
      at += 1;
    } while (bytes[at - 1]! > 0x7f);
    if (head % 2 === 0) {
      const size = Math.ceil(width / 8);
      for (let index = 0; index < head / 2; index += 1) values.push(bytes.readUIntLE(at, size));
      at += size;
    } else {
      const groups = (head - 1) / 2;
      for (let index = 0; index < groups * 8; index += 1) {
        let value = 0;
        for (let bit = 0; bit < width; bit += 1) {
          const place = index * width + bit;
          value |= ((bytes[at + (place >>> 3)]! >>> (place & 7)) & 1) << bit;
        }
        values.push(value);
      }
      at += groups * width;
    }
  }
  return values.slice(0, count);
}
