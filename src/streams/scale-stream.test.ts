import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededRandom } from '../../test/support/random.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { selectStreams } from '../catalog/streams.ts';
import { isDomainError, type ErrorName } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import type { ScalingEvent, Stream } from '../model/stream.ts';
import { createStream } from './create-stream.ts';
import { deleteStream } from './delete-stream.ts';
import { expireRetired } from './expire-partitions.ts';
import { repartition, writableCount } from './repartition.ts';
import { scaleStream } from './scale-stream.ts';
import { recentScalings } from './scaling-log.ts';

const PROJECT = 'p1';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function setUp(t: TestContext, limits: Partial<Limits> = {}) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const recordLog = new MemoryLog(clock);
  const node = streamNode({ catalog, clock, recordLog });
  const { registry } = node;
  const deps = {
    catalog,
    clock,
    recordLog,
    registry,
    streamChanges: node.streamChanges,
    limits: { ...(Value.Default(LimitsSchema, {}) as Limits), ...limits },
    random: seededRandom(1),
    onStreamDeleted: [],
  };
  const create = (partitionCount: number, name = 'orders') =>
    createStream(deps, PROJECT, makeSettings({ name, partitionCount }));
  /** The stream as the registry has it, which must be what the catalog has. */
  const current = async (stream: Stream) => {
    const found = registry.byNumber(stream.number)!;
    assert.deepEqual(
      (await selectStreams(catalog.db)).find(({ number }) => number === stream.number),
      found,
    );
    return found;
  };
  return { ...deps, create, current };
}

const refusal =
  (kind: ErrorName, message = /./) =>
  (error: unknown) =>
    isDomainError(error, kind) && message.test(error.message);
const told = ({ from, to, succeeded, automatic, message }: ScalingEvent) => [from, to, succeeded, automatic, message];

test('the catalog, the record log and the registry agree after each scaling', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(2);
  deps.clock.advance(1000);
  assert.deepEqual(await scaleStream(deps, stream, 5), { from: 2, to: 5 });
  const five = await current(stream);
  assert.equal(writableCount(five), 5);
  assert.equal(five.updatedAt, deps.clock.now());
  for (const { ref } of five.partitions) assert.deepEqual(await deps.recordLog.bounds(ref), { first: 0, next: 0 });
  // With the stream as it was once: what counts is what it has become.
  assert.deepEqual(await scaleStream(deps, stream, 1), { from: 5, to: 1 });
  const one = await current(stream);
  assert.deepEqual(one.partitions, repartition(five, 1, deps.clock.now()));
  assert.deepEqual(one.scalings.map(told), [
    [2, 5, true, false, ''],
    [5, 1, true, false, ''],
  ]);
});

test('the count that the stream has already, and counts that are none, are no tries', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(2);
  for (const target of [0, -1]) await assert.rejects(scaleStream(deps, stream, target), refusal('InvalidBody'));
  await assert.rejects(scaleStream(deps, stream, 2), refusal('InvalidBody', /the stream has 2 partitions already/));
  assert.deepEqual(await current(stream), stream);
});

test('the quota of the project is a limit on both sides, DELETED partitions apart; a refusal is logged', async (t) => {
  const { create, current, ...deps } = await setUp(t, { common_partitions: 10 });
  const stream = await create(4);
  await create(3, 'other');
  await assert.rejects(scaleStream(deps, stream, 8), refusal('QuotaExceeded'));
  const refused = await current(stream);
  assert.deepEqual({ ...refused, scalings: [] }, stream);
  assert.deepEqual(refused.scalings.map(told), [[4, 8, false, false, 'The quota is exceeded. [COMMON][10]']]);
  await scaleStream(deps, stream, 7);
  await scaleStream(deps, stream, 1);
  await create(6, 'more');
  await assert.rejects(scaleStream(deps, stream, 2), refusal('QuotaExceeded'));
});

test('a stream over a quota that was lowered can be made smaller', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(10);
  const limits = { ...deps.limits, common_partitions: 3 };
  await scaleStream({ ...deps, limits }, stream, 9);
  assert.equal(writableCount(await current(stream)), 9);
});

test('tries by hand are counted for an hour, whatever became of them; automatic ones are not', async (t) => {
  const { create, current, ...deps } = await setUp(t, { scalings_per_hour: 3, common_partitions: 10 });
  const stream = await create(1);
  await scaleStream(deps, stream, 2);
  deps.clock.advance(60_000);
  await assert.rejects(scaleStream(deps, stream, 11), refusal('QuotaExceeded'));
  await scaleStream(deps, stream, 3, { automatic: true });
  await scaleStream(deps, stream, 4);
  const next = deps.clock.now() - 60_000 + HOUR_MS;
  await assert.rejects(scaleStream(deps, stream, 5), refusal('ScalingLocked', new RegExp(`next\\]\\[${next}\\]`)));
  assert.equal((await current(stream)).scalings.length, 4);
  await scaleStream(deps, stream, 5, { automatic: true });
  // The first try is an hour old.
  deps.clock.advance(HOUR_MS - 60_000 - 1);
  await assert.rejects(scaleStream(deps, stream, 6), refusal('ScalingLocked'));
  deps.clock.advance(1);
  await scaleStream(deps, stream, 6);
  await assert.rejects(scaleStream(deps, stream, 7), refusal('ScalingLocked'));
});

test('with the profile dis one success locks the stream for an hour, a refusal does not', async (t) => {
  const { create, ...deps } = await setUp(t, { profile: 'dis', common_partitions: 10 });
  const stream = await create(1);
  await assert.rejects(scaleStream(deps, stream, 11), refusal('QuotaExceeded'));
  await scaleStream(deps, stream, 2);
  deps.clock.advance(HOUR_MS - 1);
  await assert.rejects(scaleStream(deps, stream, 3), refusal('ScalingLocked'));
  await scaleStream(deps, stream, 4, { automatic: true });
  deps.clock.advance(1);
  await scaleStream(deps, stream, 3);
});

test('the log is told and kept for seven days, in memory and in the catalog', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(1);
  await scaleStream(deps, stream, 2);
  const first = deps.clock.now();
  const stored = () => deps.catalog.db.selectFrom('scaling_log').selectAll().execute();
  deps.clock.advance(7 * DAY_MS);
  await expireRetired(deps);
  assert.equal((await stored()).length, 1);
  assert.equal(recentScalings(await current(stream), first + 7 * DAY_MS).length, 1);
  assert.equal(recentScalings(await current(stream), first + 7 * DAY_MS + 1).length, 0);
  deps.clock.advance(1);
  await expireRetired(deps);
  assert.deepEqual(await stored(), []);
  await scaleStream(deps, stream, 3);
  assert.equal((await current(stream)).scalings.length, 1);
});

test('expired partitions are written down as such, stay so under a longer retention, and can be opened again', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(3);
  await scaleStream(deps, stream, 2);
  deps.clock.advance(1000);
  await scaleStream(deps, stream, 1);
  const statuses = async () => (await current(stream)).partitions.map(({ status }) => status);
  deps.clock.advance(DAY_MS - 1001);
  await expireRetired(deps);
  assert.deepEqual(await statuses(), ['ACTIVE', 'DELETED', 'DELETED']);
  deps.clock.advance(1);
  await expireRetired(deps);
  assert.deepEqual(await statuses(), ['ACTIVE', 'DELETED', 'EXPIRED']);
  await scaleStream(deps, stream, 3);
  assert.deepEqual(await statuses(), ['ACTIVE', 'ACTIVE', 'ACTIVE']);
});

test('a scaling that the catalog refuses leaves everything as it was', async (t) => {
  const { create, current, ...deps } = await setUp(t);
  const stream = await create(2);
  await deps.catalog.db.schema.alterTable('scaling_log').renameTo('elsewhere').execute();
  await assert.rejects(scaleStream(deps, stream, 4));
  await deps.catalog.db.schema.alterTable('elsewhere').renameTo('scaling_log').execute();
  assert.equal(await current(stream), stream);
  await assert.rejects(() => deps.recordLog.bounds({ stream: stream.number, partition: 2 }));
});

test('a crash behind the transaction: the next start has the new partitions', async (t) => {
  const { create, ...deps } = await setUp(t);
  const stream = await create(2);
  deps.recordLog.addPartitions = () => Promise.reject(new Error('power cut'));
  await assert.rejects(scaleStream(deps, stream, 3), /power cut/);
  assert.equal(deps.registry.byNumber(stream.number), stream);
  const [restarted] = await selectStreams(deps.catalog.db);
  assert.deepEqual(restarted!.partitions, repartition(stream, 3, deps.clock.now()));
});

test('a stream that is deleted meanwhile is not scaled, and leaves nothing behind', async (t) => {
  const { create, ...deps } = await setUp(t);
  const stream = await create(2);
  const deleted = deleteStream(deps, stream);
  await assert.rejects(scaleStream(deps, stream, 3), refusal('StreamNotFound'));
  await deleted;
  // The registry is the last to hear of it.
  deps.registry.add(stream);
  await assert.rejects(scaleStream(deps, stream, 3), refusal('StreamNotFound'));
  for (const table of ['partitions', 'scaling_log'] as const) {
    assert.deepEqual(await deps.catalog.db.selectFrom(table).selectAll().execute(), []);
  }
});
