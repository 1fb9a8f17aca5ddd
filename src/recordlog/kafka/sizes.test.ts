/** What is learned of sizes against the truth, and what a question costs where nothing is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testRounds } from '../../../test/support/seed.ts';
import type { RecordBlock } from '../record-log.ts';
import { measure } from './measure.ts';
import { Sizes } from './sizes.ts';

const REF = { stream: 1, partition: 0 };
const KEY = '1/0';

/** Blocks of ten records of `size` bytes each. */
function reads(size: number, next: number) {
  let count = 0;
  const sample = async (_ref: unknown, from: number): Promise<RecordBlock[]> => {
    count += 1;
    const end = Math.min(next, from + 10);
    const frames = Buffer.alloc((end - from) * size);
    return [{ firstSequence: from, count: end - from, time: 0, frames }];
  };
  return { sample, count: () => count };
}

test('records of one size are measured exactly, whoever learned what', async () => {
  const ranges = fc.array(fc.tuple(fc.nat(999), fc.integer({ min: 1, max: 50 })), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(ranges, fc.nat(1000), fc.integer({ min: 1, max: 2_000_000 }), async (learned, from, maxBytes) => {
      const sizes = new Sizes();
      for (const [begin, length] of learned) {
        const end = Math.min(1000, begin + length);
        sizes.learn(KEY, begin, end, (end - begin) * 1000);
      }
      const { sample } = reads(1000, 1000);
      const extent = await measure({ sizes, sample }, REF, from, maxBytes, { first: 0, next: 1000 });
      const to = Math.min(1000, from + Math.ceil(maxBytes / 1000));
      assert.deepEqual(extent, { to, bytes: (to - from) * 1000 });
    }),
    { numRuns: testRounds('SLUICE_TEST_RUNS', 100) },
  );
});

test('a backlog that nobody here has seen costs some samples once, a long one no more than 64', async () => {
  for (const next of [1000, 100_000, 10_000_000]) {
    const sizes = new Sizes();
    const { sample, count } = reads(500, next);
    const extent = await measure({ sizes, sample }, REF, 0, Infinity, { first: 0, next });
    assert.deepEqual(extent, { to: next, bytes: next * 500 });
    assert.ok(count() <= 65, `${count()} samples of ${next}`);
  }
  const sizes = new Sizes();
  const { sample, count } = reads(500, 100_000);
  await measure({ sizes, sample }, REF, 0, 1_000_000, { first: 0, next: 100_000 });
  const once = count();
  await measure({ sizes, sample }, REF, 0, 1_000_000, { first: 0, next: 100_000 });
  assert.equal(count(), once);
});

test('what was held for very long partitions is bounded, and an old range can still be measured', async () => {
  const sizes = new Sizes();
  for (let at = 0; at < 5000; at += 1) sizes.learn(KEY, at, at + 1, 200_000);
  const { sample } = reads(200_000, 5000);
  const extent = await measure({ sizes, sample }, REF, 0, 2_000_000, { first: 0, next: 5000 });
  assert.deepEqual(extent, { to: 10, bytes: 2_000_000 });
});
