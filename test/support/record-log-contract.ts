/**
 * What every RecordLog promises (src/recordlog/record-log.ts), as one suite: whoever calls it says how to open a log, and
 * how exactly that one measures. What a crash leaves is the business of each log's own tests.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDomainError } from '../../src/model/errors.ts';
import type { PartitionRef } from '../../src/model/stream.ts';
import type { AppendOutcome, RecordBlock, RecordLog } from '../../src/recordlog/record-log.ts';
import { seededFraction } from './random.ts';
import { batchOf, recordsOf, type PlainRecord } from './records.ts';
import { testSeed } from './seed.ts';

export interface ContractRig {
  readonly log: RecordLog;
  /** A second log of the same records, opened anew; the first one stays open where the records can be shared. */
  reopen(): Promise<RecordLog>;
  close(): Promise<void>;
}

export interface ContractOptions {
  readonly name: string;
  readonly open: () => Promise<ContractRig>;
  /** How far `measure` may be off, as a share of the bytes; a few records more are always granted. */
  readonly measureTolerance: number;
}

const MEGABYTE = 1024 * 1024;
const LARGEST_KEY = 'k'.repeat(65_535);

export function describeRecordLog({ name, open, measureTolerance }: ContractOptions): void {
  describe(name, () => {
    let rig: ContractRig;
    let log: RecordLog;
    let streams = 0;

    before(async () => {
      rig = await open();
      log = rig.log;
    });
    after(() => rig.close());

    async function newStream(partitions = 1): Promise<PartitionRef[]> {
      streams += 1;
      const refs = Array.from({ length: partitions }, (_, partition) => ({ stream: streams, partition }));
      await log.addPartitions(refs);
      return refs;
    }

    async function append(
      ref: PartitionRef,
      ...records: PlainRecord[]
    ): Promise<{ firstSequence: number; time: number }> {
      const [outcome] = await log.append([batchOf(ref, records)]);
      return stored(outcome);
    }

    test('an empty partition begins and ends at 0', async () => {
      const [ref] = await newStream();
      assert.deepEqual(await log.bounds(ref!), { first: 0, next: 0 });
      assert.deepEqual(await log.read(ref!, 0, MEGABYTE), []);
      assert.equal(await log.seek(ref!, 0), 0);
      assert.equal(await log.arrivalTime(ref!, 0), undefined);
      assert.deepEqual(await log.measure(ref!, 0, MEGABYTE), { to: 0, bytes: 0 });
    });

    test('records come back as they were: keys, times, empty keys, any bytes', async () => {
      const [ref] = await newStream();
      const records: PlainRecord[] = [
        { data: 'plain' },
        { data: 'with a key', key: 'schlüssel' },
        { data: 'with an empty key', key: '' },
        { data: 'with a time', timestamp: 1_700_000_000_123 },
        { data: 'at the beginning of time', timestamp: 0 },
        { data: 'at its end', key: 'k', timestamp: Number.MAX_SAFE_INTEGER },
        { data: 'x'.repeat(200), key: 'y'.repeat(200), timestamp: 5 },
        { data: '\u0000\u007f\u0080\u{1f600}' },
      ];
      const { firstSequence, time } = await append(ref!, ...records);
      assert.equal(firstSequence, 0);
      const found = recordsOf(await log.read(ref!, 0, MEGABYTE));
      assert.deepEqual(
        found,
        records.map((record, sequence) => ({ ...record, sequence, time })),
      );
    });

    test('the largest record and the longest key', async () => {
      const [ref] = await newStream();
      const largest = 'd'.repeat(MEGABYTE);
      await append(ref!, { data: 'before' });
      await append(ref!, { data: largest, key: LARGEST_KEY, timestamp: 1 }, { data: 'between' }, { data: largest });
      await append(ref!, { data: 'after' });
      const found = recordsOf(await log.read(ref!, 0, 8 * MEGABYTE));
      assert.deepEqual(
        found.map(({ data, key }) => [data.length, key?.length]),
        [
          [6, undefined],
          [MEGABYTE, 65_535],
          [7, undefined],
          [MEGABYTE, undefined],
          [5, undefined],
        ],
      );
    });

    test('all records of the largest request go to one partition', async () => {
      const [ref] = await newStream();
      const records = Array.from({ length: 10_000 }, (_, index) => ({ data: `${index}`.padStart(1100, '.') }));
      const { firstSequence } = await append(ref!, ...records);
      assert.equal(firstSequence, 0);
      assert.deepEqual(await log.bounds(ref!), { first: 0, next: 10_000 });
      const [last] = recordsOf(await log.read(ref!, 9999, 1));
      assert.equal(last?.data, records[9999]!.data);
    });

    test('numbers go on without gaps, and bounds tell of every append that was answered', async () => {
      const [ref] = await newStream();
      let next = 0;
      let lastTime = 0;
      for (const count of [1, 3, 1, 100, 2]) {
        const outcome = await append(ref!, ...Array.from({ length: count }, (_, index) => ({ data: `${index}` })));
        assert.equal(outcome.firstSequence, next);
        assert.ok(outcome.time >= lastTime);
        lastTime = outcome.time;
        next += count;
        assert.deepEqual(await log.bounds(ref!), { first: 0, next });
      }
    });

    test('many requests at once: each partition has all of its records once, in the order of their numbers', async () => {
      const fraction = seededFraction(testSeed());
      const refs = await newStream(7);
      const requests = Array.from({ length: 120 }, (_, request) => {
        const some = refs.filter(() => fraction() < 0.5);
        return some.map((ref) => {
          const count = 1 + Math.floor(fraction() * 20);
          const size = 1 + Math.floor(fraction() * 3000);
          return batchOf(
            ref,
            Array.from({ length: count }, (_, index) => ({
              data: `${request}/${index}/`.padEnd(size, '*'),
              key: `${request}`,
            })),
          );
        });
      });
      const answers = await Promise.all(requests.map((batches) => log.append(batches)));
      const expected = refs.map(() => new Map<number, string>());
      requests.forEach((batches, request) => {
        batches.forEach((batch, index) => {
          const { firstSequence } = stored(answers[request]![index]);
          const plain = recordsOf([{ firstSequence, count: batch.count, time: 0, frames: batch.frames }]);
          for (const { sequence, data } of plain) expected[batch.ref.partition]!.set(sequence, data);
        });
      });
      for (const ref of refs) {
        const { next } = await log.bounds(ref);
        const found = await readAll(log, ref, 0, next);
        assert.deepEqual(
          found.map(({ sequence, data }) => [sequence, data]),
          [...expected[ref.partition]!].toSorted(([a], [b]) => a - b),
        );
      }
      const bounds = await log.boundsOf([...refs, refs[0]!, { stream: 999_999, partition: 0 }]);
      assert.deepEqual(
        bounds.map((each) => each?.next),
        [...refs.map((ref) => expected[ref.partition]!.size), expected[0]!.size, undefined],
      );
    });

    test('appends of one caller that does not wait keep their order', async () => {
      const [ref] = await newStream();
      const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => append(ref!, { data: `${index}` })));
      assert.deepEqual(
        answers.map(({ firstSequence }) => firstSequence),
        answers.map((_, index) => index),
      );
    });

    test('a read begins where it is told, ends near where it is told, and fills what it is lent', async () => {
      const [ref] = await newStream();
      for (let block = 0; block < 5; block += 1) {
        await append(
          ref!,
          ...Array.from({ length: 10 }, (_, index) => ({ data: `${block * 10 + index}`.padEnd(100, '.') })),
        );
      }
      for (const from of [0, 1, 9, 10, 25, 49]) {
        const found = recordsOf(await log.read(ref!, from, MEGABYTE));
        assert.deepEqual(
          found.map(({ sequence }) => sequence),
          Array.from({ length: 50 - from }, (_, index) => from + index),
        );
        assert.ok(found.every(({ data, sequence }) => data.startsWith(`${sequence}.`)));
      }
      assert.deepEqual(await log.read(ref!, 50, MEGABYTE), []);
      const little = await log.read(ref!, 3, 1);
      assert.equal(little.length, 1);
      assert.equal(little[0]!.firstSequence, 3);
      const few = recordsOf(await log.read(ref!, 5, MEGABYTE, { maxRecords: 6 }));
      assert.ok(few.length >= 6 && few.length <= 15, `${few.length} records`);

      const lent: Buffer[] = [];
      const allocate = (size: number) => {
        const buffer = Buffer.alloc(size + 10);
        lent.push(buffer);
        return buffer;
      };
      const blocks = await log.read(ref!, 0, MEGABYTE, { allocate });
      assert.ok(blocks.every(({ frames }) => lent.some(({ buffer }) => buffer === frames.buffer)));
      assert.ok(lent.reduce((sum, { length }) => sum + length, 0) < 4 * 50 * 130);
    });

    test('a long range is read piece by piece', async () => {
      const [ref] = await newStream();
      const record = { data: 'r'.repeat(200_000) };
      for (let index = 0; index < 12; index += 1) await append(ref!, ...new Array<PlainRecord>(5).fill(record));
      const found = await log.read(ref!, 1, 100 * MEGABYTE);
      assert.equal(endOf(found), 60);
      const some = await log.read(ref!, 1, 3 * MEGABYTE);
      const bytes = some.reduce((sum, { frames }) => sum + frames.length, 0);
      assert.ok(bytes >= 3 * MEGABYTE && bytes < 5 * MEGABYTE, `${bytes} bytes`);
    });

    test('times: of a record, and the first record at or after one', async () => {
      const [ref] = await newStream();
      const times: number[] = [];
      for (let index = 0; index < 6; index += 1) {
        const { time } = await append(ref!, { data: 'a' }, { data: 'b' });
        times.push(time, time);
        // The broker's clock cannot be moved.
        for (const now = Date.now(); Date.now() < now + 2;);
      }
      for (const [sequence, time] of times.entries()) {
        assert.equal(await log.arrivalTime(ref!, sequence), time);
        assert.equal(await log.seek(ref!, time), times.indexOf(time));
        const later = times.findIndex((each) => each > time);
        assert.equal(await log.seek(ref!, time + 1), later < 0 ? 12 : later);
      }
      assert.equal(await log.arrivalTime(ref!, 12), undefined);
      assert.equal(await log.seek(ref!, 0), 0);
      assert.equal(await log.seek(ref!, -1), 0);
      assert.equal(await log.seek(ref!, times[0]! - 1), 0);
    });

    test('a range is measured, by the one who wrote it and by one who did not', async () => {
      const [ref] = await newStream();
      const sizes = Array.from({ length: 400 }, (_, index) => 1000 + (index % 7) * 100);
      for (let at = 0; at < sizes.length; at += 10) {
        await append(ref!, ...sizes.slice(at, at + 10).map((size) => ({ data: 'm'.repeat(size) })));
      }
      const other = await rig.reopen();
      for (const each of [log, other]) {
        const exact = (from: number, to: number) => sizes.slice(from, to).reduce((sum, size) => sum + size + 5, 0);
        for (const from of [0, 5, 130, 399]) {
          const whole = await each.measure(ref!, from, Infinity);
          assert.equal(whole.to, 400);
          near(whole.bytes, exact(from, 400), measureTolerance);
          const part = await each.measure(ref!, from, 100_000);
          near(part.bytes, exact(from, part.to), measureTolerance);
          assert.ok(part.to === 400 || part.bytes >= 100_000);
          assert.ok(part.bytes < 125_000, `${part.bytes} bytes`);
        }
        assert.deepEqual(await each.measure(ref!, 400, 1000), { to: 400, bytes: 0 });
      }
      if (other !== log) await other.close();
    });

    test('what is trimmed is gone, and nothing else', async () => {
      const [ref, other] = await newStream(2);
      for (let index = 0; index < 10; index += 1) {
        await log.append([batchOf(ref!, [{ data: `${index}` }, { data: 'x' }]), batchOf(other!, [{ data: 'o' }])]);
      }
      await log.trim(ref!, 7);
      assert.deepEqual(await log.boundsOf([ref!, other!]), [
        { first: 7, next: 20 },
        { first: 0, next: 10 },
      ]);
      await assert.rejects(log.read(ref!, 6, 1), (error) => isDomainError(error, 'SequenceNumberOutOfRange'));
      assert.equal(recordsOf(await log.read(ref!, 7, 1))[0]!.sequence, 7);
      assert.equal(await log.arrivalTime(ref!, 6), undefined);
      assert.equal(await log.seek(ref!, 0), 7);
      await log.trim(ref!, 3);
      assert.equal((await log.bounds(ref!)).first, 7);
      await log.trim(ref!, 1000);
      assert.deepEqual(await log.bounds(ref!), { first: 20, next: 20 });
      assert.equal((await append(ref!, { data: 'goes on' })).firstSequence, 20);
    });

    test('partitions are added to a stream that has records', async () => {
      const [ref] = await newStream();
      await append(ref!, { data: 'old' });
      const added = { stream: ref!.stream, partition: 3 };
      await log.addPartitions([
        ref!,
        { stream: ref!.stream, partition: 1 },
        { stream: ref!.stream, partition: 2 },
        added,
      ]);
      assert.equal((await append(added, { data: 'new' })).firstSequence, 0);
      assert.deepEqual(await log.bounds(ref!), { first: 0, next: 1 });
    });

    test('a deleted stream is gone at once, for appends and reads, and its neighbours are not', async () => {
      const [gone] = await newStream();
      const [stays] = await newStream();
      await log.append([batchOf(gone!, [{ data: 'g' }]), batchOf(stays!, [{ data: 's' }])]);
      await log.keepFor(gone!.stream, 3_600_000);
      await log.keepFor(gone!.stream, undefined);
      await log.deleteStream(gone!.stream);
      const [refused, taken] = await log.append([batchOf(gone!, [{ data: 'g' }]), batchOf(stays!, [{ data: 's' }])]);
      assert.ok(refused !== undefined && 'error' in refused && refused.error.kind === 'StreamNotFound');
      assert.equal(stored(taken).firstSequence, 1);
      const isNotFound = (error: unknown) => isDomainError(error, 'StreamNotFound');
      await assert.rejects(log.bounds(gone!), isNotFound);
      await assert.rejects(log.read(gone!, 0, 1), isNotFound);
      await assert.rejects(log.seek(gone!, 0), isNotFound);
      await assert.rejects(log.measure(gone!, 0, 1), isNotFound);
      await assert.rejects(log.trim(gone!, 0), isNotFound);
      assert.deepEqual(await log.boundsOf([gone!, stays!]), [undefined, { first: 0, next: 2 }]);
    });

    test('a partition that was never added is not known', async () => {
      const [ref] = await newStream();
      const beside = { ...ref!, partition: 1 };
      await assert.rejects(log.bounds(beside), (error) => isDomainError(error, 'StreamNotFound'));
      const [outcome] = await log.append([batchOf(beside, [{ data: 'x' }])]);
      assert.ok(outcome !== undefined && 'error' in outcome && outcome.error.kind === 'StreamNotFound');
    });

    test('opened anew it has the same records, and closed it takes none', async () => {
      const [ref] = await newStream();
      const { time } = await append(ref!, { data: 'kept', key: 'k' });
      assert.equal(log.failure, undefined);
      const again = await rig.reopen();
      assert.deepEqual(recordsOf(await again.read(ref!, 0, 1)), [{ sequence: 0, time, data: 'kept', key: 'k' }]);
      await again.close();
      const [outcome] = await again.append([batchOf(ref!, [{ data: 'x' }])]);
      assert.ok(outcome !== undefined && 'error' in outcome && outcome.error.kind === 'ShuttingDown');
      assert.equal(again.failure?.kind, 'ShuttingDown');
    });
  });
}

function stored(outcome: AppendOutcome | undefined): { readonly firstSequence: number; readonly time: number } {
  if (outcome === undefined) throw new Error('no outcome');
  if ('error' in outcome) throw outcome.error;
  return outcome;
}

async function readAll(
  log: RecordLog,
  ref: PartitionRef,
  from: number,
  to: number,
): Promise<ReturnType<typeof recordsOf>> {
  const all: ReturnType<typeof recordsOf> = [];
  for (let at = from; at < to;) {
    const blocks = await log.read(ref, at, 50_000);
    all.push(...recordsOf(blocks));
    at = endOf(blocks);
  }
  return all;
}

function endOf(blocks: readonly RecordBlock[]): number {
  const last = blocks.at(-1);
  if (last === undefined) throw new Error('nothing was read');
  return last.firstSequence + last.count;
}

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * tolerance + 3000, `${actual} instead of ${expected} bytes`);
}
