/** What a caller from outside cannot see: that a record is handed to the log while its partition owns its hash. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { toBase64 } from '../../test/support/dis-client.ts';
import { hashOf } from '../../test/support/hash-owners.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededFraction, seededRandom } from '../../test/support/random.ts';
import { recordsOf } from '../../test/support/records.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { JsonRecords } from '../codec/json-records.ts';
import { TrafficMeter } from '../metrics/traffic-meter.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import { BufferPool } from '../platform/buffer-pool.ts';
import type { AppendBatch, AppendOutcome } from '../recordlog/record-log.ts';
import { createStream } from './create-stream.ts';
import { putRecords } from './put-records.ts';
import { scaleStream } from './scale-stream.ts';
import { StreamRegistry } from './stream-registry.ts';

const SCALINGS = 40;
const KEYS = 30;

/** A log that takes its time, as one on a disk does, and looks at whose records it is given. */
class WatchfulLog extends MemoryLog {
  readonly #registry: StreamRegistry;
  /** The values of each key in the order of their appends. */
  readonly appended = new Map<string, number[]>();

  constructor(clock: ManualClock, registry: StreamRegistry) {
    super(clock);
    this.#registry = registry;
  }

  override async append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    for (const { ref, count, frames } of batches) {
      const { status, hashLow, hashHigh } = this.#registry.byNumber(ref.stream)!.partitions[ref.partition]!;
      assert.equal(status, 'ACTIVE');
      for (const { key = '', data } of recordsOf([{ firstSequence: 0, count, time: 0, frames }])) {
        const hash = hashOf(key);
        assert.ok(hashLow <= hash && hash <= hashHigh, `${key} in partition ${ref.partition}`);
        this.appended.set(key, [...(this.appended.get(key) ?? []), Number(data)]);
      }
    }
    const outcomes = super.append(batches);
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
    return outcomes;
  }
}

test('each record is appended to a partition that owns its hash at that moment, keys in their order', async (t) => {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const registry = new StreamRegistry();
  const recordLog = new WatchfulLog(clock, registry);
  const limits = { ...(Value.Default(LimitsSchema, {}) as Limits), scalings_per_hour: SCALINGS };
  const deps = {
    catalog,
    clock,
    registry,
    recordLog,
    limits,
    streamChanges: streamNode({ catalog, clock, recordLog, registry }).streamChanges,
    random: seededRandom(1),
    buffers: new BufferPool(1024 * 1024),
    traffic: new TrafficMeter(clock),
    throttle: undefined,
  };
  const { number } = await createStream(deps, 'project', makeSettings({ partitionCount: 3 }));
  const keys = Array.from({ length: KEYS }, (_, i) => `key-${i}`);

  let scaling = true;
  t.after(() => void (scaling = false));
  const puts: Promise<void>[] = [];
  // Does not wait for one put before the next: many are under way whenever the stream changes.
  const putting = (async () => {
    for (let value = 0; scaling; value += 1) {
      const records = keys.map((key) => ({ data: toBase64(String(value)), partition_key: key }));
      const put = putRecords(deps, registry.byNumber(number)!, new JsonRecords(records));
      puts.push(put.then(({ failed }) => assert.equal(failed, 0)));
      await setImmediate();
    }
  })();
  const fraction = seededFraction(1);
  let count = 3;
  for (let i = 0; i < SCALINGS; i += 1) {
    count = 1 + ((count + Math.floor(fraction() * 9)) % 10);
    await scaleStream(deps, registry.byNumber(number)!, count);
  }
  scaling = false;
  await putting;
  await Promise.all(puts);

  assert.ok(puts.length > SCALINGS);
  for (const key of keys) {
    const expected = puts.map((_, value) => value);
    assert.deepEqual(recordLog.appended.get(key), expected, key);
  }
});
