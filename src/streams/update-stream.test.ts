import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { makePrincipal } from '../../test/support/principal.ts';
import { seededRandom } from '../../test/support/random.ts';
import { batchOf, recordsOf } from '../../test/support/records.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { selectStreams } from '../catalog/streams.ts';
import { DomainError, isDomainError, type ErrorName } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import { TrafficMeter } from '../metrics/traffic-meter.ts';
import { BufferPool } from '../platform/buffer-pool.ts';
import { createStream } from './create-stream.ts';
import { CursorCodec } from './cursor.ts';
import { describeStream } from './describe-stream.ts';
import { getCursor } from './get-cursor.ts';
import { getRecords } from './get-records.ts';
import { scaleStream } from './scale-stream.ts';
import type { StreamSettings } from './stream-settings.ts';
import { updateStream, type StreamUpdate, type StreamUpdateHook } from './update-stream.ts';

const HOUR_MS = 3_600_000;
const PROJECT = 'project';

async function setUp(
  t: TestContext,
  settings: Partial<StreamSettings> = {},
  onStreamUpdated: readonly StreamUpdateHook[] = [],
) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const recordLog = new MemoryLog(clock);
  const node = streamNode({ catalog, clock, recordLog });
  const { registry } = node;
  const deps = {
    catalog,
    clock,
    registry,
    recordLog,
    streamChanges: node.streamChanges,
    limits: Value.Default(LimitsSchema, {}) as Limits,
    random: seededRandom(1),
    cursors: new CursorCodec(Buffer.alloc(32, 7), 4 * 24 * 3600),
    throttle: undefined,
    traffic: new TrafficMeter(clock),
    buffers: new BufferPool(1024 * 1024),
    onStreamUpdated,
  };
  const stream = await createStream(deps, PROJECT, makeSettings({ retentionHours: 48, ...settings }));
  return {
    ...deps,
    stream,
    update: (update: StreamUpdate) => updateStream(deps, stream, update),
    current: () => registry.byNumber(stream.number)!,
  };
}

const refusal =
  (kind: ErrorName, message = /./) =>
  (error: unknown) =>
    isDomainError(error, kind) && message.test(error.message);

test('what is given changes, the rest stays, and the catalog has it', async (t) => {
  const { update, current, clock, catalog, stream } = await setUp(t);
  clock.advance(1000);
  await update({ retentionHours: 72, dataType: 'JSON', dataSchema: '{}' });
  const { autoScale } = stream;
  const changed = { ...stream, retentionHours: 72, dataType: 'JSON' as const, dataSchema: '{}', autoScale };
  assert.deepEqual(current(), { ...changed, updatedAt: clock.now() });
  await update({ autoScaleEnabled: true, autoScaleMin: 2, autoScaleMax: 4 });
  await update({ autoScaleMax: 2 });
  assert.deepEqual(current().autoScale, { enabled: true, min: 2, max: 2 });
  assert.deepEqual(await selectStreams(catalog.db), [current()]);
});

test('whoever works with the records is asked before and told after', async (t) => {
  const asked: string[] = [];
  const told: string[] = [];
  const hook: StreamUpdateHook = {
    check({ dataType }) {
      asked.push(dataType);
      if (dataType === 'CSV') throw new DomainError('InvalidBody', ['data_type', 'is not wanted']);
    },
    changed: async ({ dataType }) => void told.push(`${dataType} ${current().dataType}`),
  };
  const { update, current, catalog } = await setUp(t, {}, [hook]);
  await update({ dataType: 'JSON' });
  await assert.rejects(update({ dataType: 'CSV' }), refusal('InvalidBody', /not wanted/));
  assert.deepEqual(asked, ['JSON', 'CSV']);
  assert.deepEqual(told, ['JSON JSON']);
  assert.deepEqual(await selectStreams(catalog.db), [current()]);
});

test('values are held against the limits and against each other, old and new', async (t) => {
  const { update, current } = await setUp(t, { autoScaleMin: 3 });
  await update({ retentionHours: 24 });
  await update({ retentionHours: 72 });
  for (const retentionHours of [23, 73, 0]) {
    await assert.rejects(update({ retentionHours }), refusal('InvalidBody', /data_duration/));
  }
  await assert.rejects(update({ dataSchema: '{' }), refusal('InvalidSchema'));
  await update({ autoScaleMax: 3 });
  await assert.rejects(update({ autoScaleMax: 2 }), refusal('InvalidBody', /auto_scale_max/));
  await assert.rejects(update({ autoScaleMin: 4 }), refusal('InvalidBody', /auto_scale_max/));
  assert.deepEqual(current().autoScale, { enabled: false, min: 3, max: 3 });
});

test('while automatic scaling is off, bounds of 0 are none', async (t) => {
  const { update, current } = await setUp(t, { autoScaleMin: 3, autoScaleMax: 5, autoScaleEnabled: true });
  await assert.rejects(update({ autoScaleMin: 0 }), refusal('InvalidBody', /auto_scale_min/));
  await update({ autoScaleEnabled: false, autoScaleMin: 0, autoScaleMax: 0 });
  assert.deepEqual(current().autoScale, { enabled: false, min: undefined, max: undefined });
});

test('a shorter retention holds for the next read, a longer one brings back what has not been given up', async (t) => {
  const { update, current, recordLog, clock, stream, ...deps } = await setUp(t);
  const { ref } = stream.partitions[0]!;
  await recordLog.append([batchOf(ref, [{ data: 'old' }])]);
  clock.advance(24 * HOUR_MS + 1);
  await recordLog.append([batchOf(ref, [{ data: 'new' }])]);
  const all = { ...deps, recordLog, clock };
  const read = async () => {
    const cursor = await getCursor(all, current(), { partitionId: '0', type: 'TRIM_HORIZON' });
    const caller = makePrincipal({ projectId: PROJECT });
    const { blocks } = await getRecords(all, { caller, cursor, limit: 10, maxBytes: 1000 });
    return recordsOf(blocks).map(({ data }) => data);
  };
  assert.deepEqual(await read(), ['old', 'new']);
  await update({ retentionHours: 24 });
  assert.deepEqual(await read(), ['new']);
  await update({ retentionHours: 25 });
  assert.deepEqual(await read(), ['old', 'new']);
});

test('a retired partition: read to its end, gone to the millisecond, and not described as readable', async (t) => {
  const { update, recordLog, clock, stream, current, ...deps } = await setUp(t, { partitionCount: 2 });
  const all = { ...deps, recordLog, clock };
  const { ref } = stream.partitions[1]!;
  await recordLog.append([batchOf(ref, [{ data: 'a' }])]);
  await scaleStream(all, stream, 1);
  const cursor = await getCursor(all, current(), { partitionId: '1', type: 'TRIM_HORIZON' });
  const caller = makePrincipal({ projectId: PROJECT });
  const get = () => getRecords(all, { caller, cursor, limit: 10, maxBytes: 1000 });
  const described = async () => {
    const { readable, writable, partitions } = await describeStream(all, current(), 10, undefined);
    return [writable, readable, ...partitions.map(({ partition }) => partition.status)];
  };
  clock.advance(48 * HOUR_MS - 1);
  assert.deepEqual(
    recordsOf((await get()).blocks).map(({ data }) => data),
    ['a'],
  );
  assert.deepEqual(await described(), [1, 2, 'ACTIVE', 'DELETED']);
  clock.advance(1);
  await assert.rejects(get(), refusal('PartitionExpired'));
  await assert.rejects(getCursor(all, current(), { partitionId: '1', type: 'LATEST' }), refusal('PartitionExpired'));
  assert.deepEqual(await described(), [1, 1, 'ACTIVE', 'EXPIRED']);
  await update({ retentionHours: 49 });
  assert.equal((await get()).blocks.length, 1);
});

test('a stream that is gone', async (t) => {
  const { update, catalog, stream } = await setUp(t);
  await catalog.db.deleteFrom('streams').where('number', '=', stream.number).execute();
  await assert.rejects(update({ retentionHours: 24 }), refusal('StreamNotFound'));
});
