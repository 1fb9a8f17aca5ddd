import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_HASH, splitHashSpace } from './hash-ranges.ts';

test('two partitions have the ranges that DIS documents', () => {
  assert.deepEqual(splitHashSpace(2), [
    { low: 0n, high: 4611686018427387902n },
    { low: 4611686018427387903n, high: 9223372036854775807n },
  ]);
});

test('the ranges of any number of partitions tile the whole space', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (count) => {
      const ranges = splitHashSpace(count);
      assert.equal(ranges.length, count);
      assert.equal(ranges[0]?.low, 0n);
      assert.equal(ranges.at(-1)?.high, MAX_HASH);
      ranges.reduce((before, range) => {
        assert.equal(range.low, before.high + 1n);
        assert.ok(range.low <= range.high);
        return range;
      });
    }),
  );
});
