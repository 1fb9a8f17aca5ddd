import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { batchOf } from '../../../test/support/records.ts';
import { BufferPool } from '../../platform/buffer-pool.ts';
import type { ReadOptions } from '../../recordlog/record-log.ts';
import { LogSource } from './log-source.ts';

const REF = { stream: 1, partition: 0 };
const BUFFER = 64 * 1024;

/** Gives one block a read, and takes memory for each; a read ends when it is told to. */
class SlowLog extends MemoryLog {
  reads = 0;
  last: Promise<void> = Promise.resolve();

  override async read(ref: typeof REF, from: number, _most: number, options?: ReadOptions) {
    this.reads += 1;
    options?.allocate?.(BUFFER);
    await this.last;
    return super.read(ref, from, 1);
  }
}

class CountedPool extends BufferPool {
  lent = 0;
  override take(size: number): Buffer {
    this.lent += 1;
    return super.take(size);
  }
  override give(buffer: Buffer): void {
    this.lent -= 1;
    super.give(buffer);
  }
}

async function sourceOfThree() {
  const recordLog = new SlowLog(new ManualClock());
  await recordLog.addPartitions([REF]);
  for (const data of ['a', 'b', 'c']) await recordLog.append([batchOf(REF, [{ data }])]);
  const buffers = new CountedPool(10 * BUFFER);
  return { recordLog, buffers, source: new LogSource({ recordLog, buffers }, { ref: REF, first: 0, next: 3 }) };
}

test('all memory is given back, however far the walk comes', async () => {
  const { recordLog, buffers, source } = await sourceOfThree();
  for (let batches = 1; batches <= 4; batches += 1) {
    let seen = 0;
    for await (const blocks of source.batches()) {
      assert.equal(blocks.length, 1);
      assert.ok(buffers.lent > 0);
      seen += 1;
      if (seen === batches) break;
    }
    assert.equal(buffers.lent, 0, `${batches} batches`);
  }
  recordLog.damage(REF, 1, 2);
  for await (const blocks of source.batches()) assert.equal(blocks[0]!.firstSequence, 0);
  assert.equal(buffers.lent, 0);
});

test('memory that the log still writes to is given back when it does not any more', async () => {
  const { recordLog, buffers, source } = await sourceOfThree();
  const walk = source.batches();
  const slow = Promise.withResolvers<void>();
  const first = walk.next();
  recordLog.last = slow.promise;
  await first;
  assert.equal(recordLog.reads, 2);
  const left = walk.return();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(buffers.lent, 2);
  slow.resolve();
  await left;
  assert.equal(buffers.lent, 0);
});
