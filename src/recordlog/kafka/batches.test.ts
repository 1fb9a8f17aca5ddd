/** Frames → Kafka's record batches → frames: random records there and back, Kafka's own reader of ours, and damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '@node-rs/crc32';
import { Reader, readRecordsBatches } from '@platformatic/kafka';
import fc from 'fast-check';
import { batchOf, recordsOf, type PlainRecord } from '../../../test/support/records.ts';
import { testRounds } from '../../../test/support/seed.ts';
import { decodeBatches } from './decode-batches.ts';
import { CHECKED_FROM, encodeBatch, encodedBound } from './encode-batch.ts';

const REF = { stream: 1, partition: 0 };
const IDENTITY = { producerId: 77n, epoch: 3, sequence: 12 };
const ALL = { bytes: Infinity, records: Infinity };
const allocate = (size: number) => Buffer.alloc(size);

const record: fc.Arbitrary<PlainRecord> = fc
  .record({
    data: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.nat(300).map((size) => 'd'.repeat(size)),
      fc.constant('l'.repeat(20_000)),
    ),
    key: fc.option(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.nat(300).map((size) => 'k'.repeat(size)),
      ),
      { nil: undefined },
    ),
    timestamp: fc.option(fc.maxSafeNat(), { nil: undefined }),
  })
  .map(({ data, key, timestamp }) => ({
    data,
    ...(key === undefined ? {} : { key }),
    ...(timestamp === undefined ? {} : { timestamp }),
  }));

/** One batch as the log of a broker holds it, from number `base` on. */
function stored(base: number, time: number, ...appends: PlainRecord[][]): Buffer {
  const runs = appends.map((records) => batchOf(REF, records));
  const bound = encodedBound(runs);
  const target = Buffer.alloc(bound + 100, 0xee);
  const batch = encodeBatch(target, runs, IDENTITY, 5);
  assert.ok(batch.length <= bound);
  assert.ok(target.subarray(bound).every((byte) => byte === 0xee));
  const bytes = Buffer.from(batch);
  bytes.writeBigInt64BE(BigInt(base), 0);
  bytes.writeBigInt64BE(BigInt(time), 35);
  return seal(bytes);
}

function seal(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(CHECKED_FROM)), 17);
  return bytes;
}

test('random records come back as they were, from any number on', () => {
  const appends = fc.array(fc.array(record, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(appends, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(200), (batches, start, skip) => {
      let base = start;
      const expected: (PlainRecord & { sequence: number; time: number })[] = [];
      const bytes = batches.map((ofBatch, index) => {
        const records = ofBatch.flat();
        expected.push(...records.map((each, at) => ({ ...each, sequence: base + at, time: 1000 + index })));
        const batch = stored(base, 1000 + index, ...ofBatch);
        base += records.length;
        return batch;
      });
      const from = start + Math.min(skip, expected.length);
      const { blocks, next, hole } = decodeBatches(Buffer.concat(bytes), from, ALL, allocate);
      assert.deepEqual(recordsOf(blocks), expected.slice(from - start));
      assert.equal(next, base);
      assert.equal(hole, undefined);
    }),
    { numRuns: testRounds('SLUICE_TEST_RUNS', 100) },
  );
});

test('another reader of the format sees the same: key, value, time as a header, who sent it', () => {
  const bytes = stored(40, 1234, [{ data: 'one', key: 'k', timestamp: 99 }], [{ data: 'two' }]);
  const [batch] = readRecordsBatches(Reader.from(bytes));
  assert.ok(batch !== undefined);
  assert.deepEqual(
    [batch.firstOffset, batch.producerId, batch.producerEpoch, batch.firstSequence, batch.maxTimestamp],
    [40n, 77n, 3, 12, 1234n],
  );
  assert.deepEqual(
    batch.records.map(({ key, value, headers }) => [
      key?.toString(),
      value?.toString(),
      [...headers].map(([name, text]) => `${String(name)}=${String(text)}`),
    ]),
    [
      ['k', 'one', ['timestamp=99']],
      [undefined, 'two', []],
    ],
  );
});

test('limits end a read after the block that reaches them', () => {
  const bytes = Buffer.concat([0, 1, 2, 3].map((index) => stored(index * 2, index, [{ data: 'a' }, { data: 'b' }])));
  const ends = (limits: typeof ALL) => decodeBatches(bytes, 1, limits, allocate).next;
  assert.equal(ends({ bytes: 1, records: Infinity }), 2);
  assert.equal(ends({ bytes: 7, records: Infinity }), 4);
  assert.equal(ends({ bytes: Infinity, records: 1 }), 2);
  assert.equal(ends({ bytes: Infinity, records: 2 }), 4);
  assert.equal(ends(ALL), 8);
});

test('a batch that is cut short at the end is left for the next read', () => {
  const whole = stored(0, 0, [{ data: 'whole' }]);
  const bytes = Buffer.concat([whole, stored(1, 0, [{ data: 'cut' }])]);
  for (let length = whole.length; length < bytes.length; length += 1) {
    const { blocks, next, hole } = decodeBatches(bytes.subarray(0, length), 0, ALL, allocate);
    assert.ok(blocks.length === 1 && next === 1 && hole === undefined);
  }
});

test('numbers without records, and what cannot be read, are told', () => {
  const good = stored(0, 0, [{ data: 'good' }]);
  const broken = (change: (bytes: Buffer) => void) => {
    const bytes = stored(1, 0, [{ data: 'one' }, { data: 'two' }]);
    change(bytes);
    return bytes;
  };
  const cases: [Buffer, number, RegExp][] = [
    [stored(5, 0, [{ data: 'later' }]), 5, /no records of these numbers/],
    [broken((bytes) => (bytes[70]! ^= 1)), 3, /checksum/],
    [broken((bytes) => seal(bytes.fill(0x20, 22, 23))), 3, /marker/],
    [broken((bytes) => seal(bytes.fill(0x01, 22, 23))), 3, /compressed/],
    [broken((bytes) => (bytes[16] = 1)), 3, /format 1/],
    [broken((bytes) => seal(bytes.fill(0x05, 26, 27))), 7, /removed/],
  ];
  for (const [bad, to, why] of cases) {
    const { blocks, next, hole } = decodeBatches(Buffer.concat([good, bad]), 0, ALL, allocate);
    assert.ok(blocks.length === 1 && next === 1);
    assert.equal(hole?.to, to);
    assert.match(hole.why, why);
  }
});
