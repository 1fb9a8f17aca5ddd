/** What a caller is told when the log takes none of its records. */
import assert from 'node:assert/strict';
import test from 'node:test';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededRandom } from '../../test/support/random.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { JsonRecords } from '../codec/json-records.ts';
import { TrafficMeter } from '../metrics/traffic-meter.ts';
import { DomainError } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import { BufferPool } from '../platform/buffer-pool.ts';
import type { AppendBatch, AppendOutcome } from '../recordlog/record-log.ts';
import { createStream } from './create-stream.ts';
import { putRecords } from './put-records.ts';
import { StreamRegistry } from './stream-registry.ts';

class RefusingLog extends MemoryLog {
  /** By partition. */
  refusals: readonly (DomainError | undefined)[] = [];

  override async append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const outcomes = await super.append(batches);
    return batches.map(({ ref }, index) => {
      const error = this.refusals[ref.partition];
      return error === undefined ? outcomes[index]! : { error };
    });
  }
}

test('what the log says of all is the answer; where it says several things each record is told its own', async (t) => {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const registry = new StreamRegistry();
  const recordLog = new RefusingLog(clock);
  const deps = {
    ...{ catalog, clock, registry, recordLog, random: seededRandom(1), throttle: undefined },
    limits: Value.Default(LimitsSchema, {}) as Limits,
    streamChanges: streamNode({ catalog, clock, recordLog, registry }).streamChanges,
    buffers: new BufferPool(1024 * 1024),
    traffic: new TrafficMeter(clock),
  };
  const stream = await createStream(deps, 'project', makeSettings({ partitionCount: 2 }));
  const put = () => putRecords(deps, stream, new JsonRecords([0, 1].map((id) => ({ data: 'YQ==', partition_id: `${id}` })))); // prettier-ignore
  const [unavailable, unknown] = [new DomainError('LogUnavailable'), new DomainError('OutcomeUnknown')];

  recordLog.refusals = [unavailable, new DomainError('LogUnavailable', ['another place'])];
  await assert.rejects(put(), unavailable);
  recordLog.refusals = [unknown, unknown];
  await assert.rejects(put(), unknown);
  // One of them was not stored, the other may have been.
  recordLog.refusals = [unavailable, unknown];
  const { failed, errors } = await put();
  assert.deepEqual([failed, errors], [2, [unavailable, unknown]]);
  recordLog.refusals = [undefined, unknown];
  const { failed: one, errors: mixed } = await put();
  assert.deepEqual([one, mixed], [1, [undefined, unknown]]);
});
