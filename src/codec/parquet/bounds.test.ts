import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { valuesOf } from '../../../test/support/arbitrary-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { BytesWatch, LONGEST_BOUND, NumberWatch, type Bounds } from './bounds.ts';

const seed = testSeed();

test('texts lie within their bounds in the order of their bytes, and the bounds are texts', () => {
  const texts = fc.array(valuesOf({ kind: 'string' }) as fc.Arbitrary<string>, { minLength: 1 });
  fc.assert(
    fc.property(texts, (values) =>
      assertWithin(
        values.map((value) => Buffer.from(value)),
        true,
      ),
    ),
    { seed, numRuns: 300 },
  );
});

test('bytes lie within their bounds', () => {
  const bytes = fc.array(valuesOf({ kind: 'bytes' }) as fc.Arbitrary<Uint8Array>, { minLength: 1 });
  fc.assert(
    fc.property(bytes, (values) =>
      assertWithin(
        values.map((value) => Buffer.from(value)),
        false,
      ),
    ),
    { seed, numRuns: 300 },
  );
});

function assertWithin(values: readonly Buffer[], text: boolean): void {
  const bounds = watched(values, text);
  const sorted = [...values].sort((one, other) => Buffer.compare(one, other));
  const [smallest, largest] = [sorted[0]!, sorted.at(-1)!];
  if (bounds === undefined) {
    assert.ok(
      largest.length > LONGEST_BOUND &&
        (text ? /^\u{10ffff}/u : /^\xff/).test(largest.toString(text ? 'utf8' : 'latin1')),
    );
    return;
  }
  const { min, max, minExact, maxExact } = bounds;
  assert.ok(Buffer.compare(min, smallest) <= 0 && Buffer.compare(max, largest) >= 0);
  assert.ok(min.length <= LONGEST_BOUND && max.length <= LONGEST_BOUND);
  assert.equal(minExact, smallest.length <= LONGEST_BOUND);
  if (minExact) assert.deepEqual(min, smallest);
  if (maxExact) assert.deepEqual(max, largest);
  if (largest.length > LONGEST_BOUND) assert.equal(maxExact, false);
  if (text) assert.ok(isUtf8(min) && isUtf8(max));
}

test('of long values: the whole characters that fit, the last one raised for the upper bound', () => {
  const fits = LONGEST_BOUND - 1;
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['a'.repeat(65), 'a'.repeat(64), `${'a'.repeat(63)}b`],
    // The last character does not fit whole.
    [`${'a'.repeat(fits)}é`, 'a'.repeat(fits), `${'a'.repeat(fits - 1)}b`],
    // Behind U+D7FF come halves of pairs, which are no characters.
    ['\ud7ff'.repeat(30), '\ud7ff'.repeat(21), `${'\ud7ff'.repeat(20)}\ue000`],
    // One byte more than the character before it: it may not fit any more.
    [`${'a'.repeat(fits)}\x7fx`, `${'a'.repeat(fits)}\x7f`, `${'a'.repeat(fits - 1)}b`],
    [`a${'\u{10ffff}'.repeat(20)}`, `a${'\u{10ffff}'.repeat(15)}`, 'b'],
    ['\u{10ffff}'.repeat(20), '', undefined],
  ];
  for (const [value, min, max] of cases) {
    const bounds = watched([Buffer.from(value)], true);
    const found = bounds && [Buffer.from(bounds.min).toString(), Buffer.from(bounds.max).toString()];
    assert.deepEqual(found, max === undefined ? undefined : [min, max]);
    assert.deepEqual(bounds && [bounds.minExact, bounds.maxExact], max === undefined ? undefined : [false, false]);
  }
});

test('a bound that values of different lengths begin with', () => {
  const [exact, longer] = [Buffer.alloc(LONGEST_BOUND, 'a'), Buffer.alloc(LONGEST_BOUND + 1, 'a')];
  for (const values of [
    [exact, longer],
    [longer, exact],
  ]) {
    const { min, max, minExact, maxExact } = watched(values, true)!;
    assert.deepEqual({ min, minExact, maxExact }, { min: exact, minExact: true, maxExact: false });
    assert.ok(Buffer.compare(max, longer) > 0);
  }
});

test('numbers: nothing is told of NaN, zeros are told so that both are within', () => {
  const bounds = (...values: number[]) => {
    const watch = new NumberWatch((value) => Buffer.from(Float64Array.of(value).buffer));
    for (const value of values) watch.see(value);
    const found = watch.bounds();
    return found && [found.min, found.max].map((bytes) => Buffer.from(bytes).readDoubleLE());
  };
  assert.deepEqual(bounds(3, -2), [-2, 3]);
  assert.equal(bounds(3, NaN, -2), undefined);
  assert.deepEqual(bounds(0), [-0, 0]);
  assert.deepEqual(bounds(-0), [-0, 0]);
  assert.deepEqual(bounds(Infinity), [Infinity, Infinity]);
  assert.deepEqual(bounds(-Infinity), [-Infinity, -Infinity]);
  assert.equal(bounds(NaN), undefined);
  assert.equal(bounds(), undefined);
});

function watched(values: readonly Buffer[], text: boolean): Bounds | undefined {
  const watch = new BytesWatch(text);
  const all = Buffer.concat(values);
  let at = 0;
  for (const { length } of values) {
    watch.see(undefined, all, at, at + length);
    at += length;
  }
  return watch.bounds();
}
