/**
 * A flipped bit in every byte, and a cut at every length, of a sealed and of an open segment. Whatever is hit, the log
 * opens; what it serves is what was appended; what is lost is named by partition and sequence numbers; and the records of
 * other blocks stay readable.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openLocalLog } from '../../src/recordlog/local/local-log.ts';
import { DamagedRecords, type RecordLog } from '../../src/recordlog/record-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { seededFraction } from '../support/random.ts';
import { batchOf, recordsOf } from '../support/records.ts';
import { SimulatedFileSystem } from '../support/simulated-file-system.ts';

const REFS = [
  { stream: 7, partition: 0 },
  { stream: 7, partition: 1 },
];
const GROUPS = 4;
const RECORDS_PER_BLOCK = 3;
const FIRST = 'log/00000000000000000001.log';

async function open(disk: SimulatedFileSystem): Promise<{ log: RecordLog; reports: string[] }> {
  const reports: string[] = [];
  const log = await openLocalLog({
    directory: 'log',
    fileSystem: disk.mount(),
    clock: new ManualClock(1_700_000_000_000),
    partitions: REFS,
    deletedStreams: [],
    segmentBytes: 1_000_000,
    maxPendingBytes: 1_000_000,
    report: (_, message) => void reports.push(message),
  });
  return { log, reports };
}

function dataOf(partition: number, sequence: number): string {
  return `partition ${partition} record ${sequence}`;
}

/** A segment of a few groups, each with one block of each partition; sealed, or as a kill would leave it. */
async function makeSegment(sealed: boolean): Promise<Buffer> {
  const disk = new SimulatedFileSystem(seededFraction(1));
  const { log } = await open(disk);
  for (let group = 0; group < GROUPS; group += 1) {
    const batches = REFS.map((ref) => {
      const records = Array.from({ length: RECORDS_PER_BLOCK }, (_, index) => ({
        data: dataOf(ref.partition, group * RECORDS_PER_BLOCK + index),
        key: 'k',
      }));
      return batchOf(ref, records);
    });
    await log.append(batches);
  }
  if (sealed) await log.close();
  return Buffer.from(disk.contents(FIRST));
}

interface Found {
  /** Per partition, the numbers that could be read. */
  readonly readable: Set<number>[];
  readonly lost: DamagedRecords[];
  readonly next: number[];
  readonly reports: string[];
}

/** Opens a log over the bytes and reads everything, going on behind whatever is damaged. */
async function readEverything(bytes: Buffer): Promise<Found> {
  const disk = new SimulatedFileSystem(seededFraction(1));
  const file = await disk.mount().open(FIRST, 'create');
  await file.close();
  disk.setContents(FIRST, bytes);
  const { log, reports } = await open(disk);
  const found: Found = { readable: [], lost: [], next: [], reports };
  for (const ref of REFS) {
    const readable = new Set<number>();
    const { first, next } = await log.bounds(ref);
    for (let at = first; at < next;) {
      try {
        for (const record of recordsOf(await log.read(ref, at, 100))) {
          assert.equal(record.data, dataOf(ref.partition, record.sequence), 'damage is never served');
          readable.add(record.sequence);
          at = record.sequence + 1;
        }
      } catch (error) {
        assert.ok(error instanceof DamagedRecords, String(error));
        assert.ok(error.from === at && error.to > at && error.to <= next, error.message);
        found.lost.push(error);
        at = error.to;
      }
    }
    found.readable.push(readable);
    found.next.push(next);
  }
  await log.close();
  return found;
}

function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset]! ^= 1 << (offset % 8);
  return copy;
}

function lostRecords({ readable }: Found): number {
  return readable.reduce((lost, numbers) => lost + GROUPS * RECORDS_PER_BLOCK - numbers.size, 0);
}

for (const sealed of [true, false]) {
  describe(`a segment that is ${sealed ? 'sealed' : 'open'}`, () => {
    let bytes: Buffer;
    before(async () => {
      bytes = await makeSegment(sealed);
    });

    test('a flipped bit in any byte costs at most the block that it is in', async () => {
      let harmless = 0;
      for (let offset = 0; offset < bytes.length; offset += 1) {
        const found = await readEverything(flipped(bytes, offset));
        const lost = lostRecords(found);
        if (lost === 0) harmless += 1;
        // The last group of an open segment is vouched for by nothing: it may be cut as a torn write, both blocks of it.
        const lastGroup =
          !sealed && found.next.every((next) => next <= GROUPS * RECORDS_PER_BLOCK) && found.lost.length === 0;
        assert.ok(lost <= (lastGroup ? 2 : 1) * RECORDS_PER_BLOCK, `offset ${offset}: ${lost} records lost`);
        if (lost > 0) assert.ok(found.reports.length > 0, `offset ${offset}: lost records are reported`);
        for (const [partition, numbers] of found.readable.entries()) {
          const early = [...numbers].filter((number) => number < (GROUPS - 1) * RECORDS_PER_BLOCK).length;
          const expected = (GROUPS - 1) * RECORDS_PER_BLOCK - early;
          const named = found.lost.filter((error) => error.ref.partition === partition);
          const covered = named.reduce(
            (sum, { from, to }) => sum + Math.min(to, (GROUPS - 1) * RECORDS_PER_BLOCK) - from,
            0,
          );
          if (expected > 0) assert.equal(covered, expected, `offset ${offset}: what is lost is named exactly`);
        }
      }
      assert.ok(harmless > 0);
    });

    test('a file cut at any length keeps every whole group before the cut', async () => {
      const whole = await readEverything(bytes);
      assert.equal(lostRecords(whole), 0);
      let best = -1;
      for (let length = 0; length <= bytes.length; length += 1) {
        const found = await readEverything(bytes.subarray(0, length));
        const readable = found.readable.reduce((sum, numbers) => sum + numbers.size, 0);
        assert.ok(readable >= best, `length ${length}: a longer file never shows less`);
        best = readable;
        assert.equal(found.lost.length, 0, `length ${length}: a cut is not damage in the middle`);
      }
      assert.equal(best, 2 * GROUPS * RECORDS_PER_BLOCK);
    });
  });
}

test('an index that is damaged is rebuilt from the blocks', async () => {
  const bytes = await makeSegment(true);
  const found = await readEverything(flipped(bytes, bytes.length - 10));
  assert.equal(lostRecords(found), 0);
});
