import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededRandom } from '../../test/support/random.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { READ_BANDWIDTH, WRITE_BANDWIDTH } from '../model/bandwidth.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import type { StreamLoad } from '../model/stream-load.ts';
import { AutoScaler } from './auto-scaling.ts';
import { createStream } from './create-stream.ts';
import { writableCount } from './repartition.ts';
import { scaleStream } from './scale-stream.ts';
import type { StreamSettings } from './stream-settings.ts';

const MINUTE_MS = 60_000;

interface Situation {
  readonly partitions: number;
  readonly settings?: Partial<StreamSettings>;
  readonly limits?: Partial<Limits>;
}

/** One stream that scales by itself, a server that has seen three minutes of it, and what its last minute was like. */
async function setUp(t: TestContext, { partitions, settings, limits }: Situation) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const recordLog = new MemoryLog(clock);
  const node = streamNode({ catalog, clock, recordLog });
  const { registry } = node;
  let load: StreamLoad = { putBytes: 0, getBytes: 0, throttledPuts: 0 };
  const complaints: string[] = [];
  const deps = {
    catalog,
    clock,
    recordLog,
    registry,
    streamChanges: node.streamChanges,
    limits: { ...(Value.Default(LimitsSchema, {}) as Limits), profile: 'dis' as const, ...limits },
    random: seededRandom(1),
    load: { lastMinute: async (streams: readonly number[]) => new Map(streams.map((number) => [number, load])) },
    logger: {
      info: () => undefined,
      error: (_details: object, message: string) => void complaints.push(message),
    },
  };
  const create = (name: string, partitionCount: number, more?: Partial<StreamSettings>) =>
    createStream(deps, 'p1', makeSettings({ name, partitionCount, autoScaleEnabled: true, ...more }));
  const stream = await create('orders', partitions, settings);
  const type = stream.type;
  const count = () => writableCount(registry.byNumber(stream.number)!);
  const scaler = new AutoScaler(deps);
  clock.advance(3 * MINUTE_MS);
  return {
    ...deps,
    scaler,
    stream,
    create,
    count,
    complaints,
    /** In parts of what the stream's partitions can take in a minute; some of the puts throttled or none. */
    setLoad: (upload: number, download: number, throttledPuts = 0) => {
      load = {
        putBytes: Math.round(upload * count() * WRITE_BANDWIDTH[type].bytes * 60),
        getBytes: Math.round(download * count() * READ_BANDWIDTH[type].bytes * 60),
        throttledPuts,
      };
    },
    /** What becomes of the number of partitions at one look. */
    look: async () => {
      await scaler.look();
      return count();
    },
  };
}

test('up when puts were throttled and the upload was above 80 % of the bandwidth', async (t) => {
  const { setLoad, look } = await setUp(t, { partitions: 3 });
  setLoad(0.8, 0, 5);
  assert.equal(await look(), 3);
  setLoad(0.81, 0);
  assert.equal(await look(), 3);
  setLoad(0.81, 0, 1);
  assert.equal(await look(), 5);
});

test('down when upload and download were both below 30 %', async (t) => {
  const { setLoad, look } = await setUp(t, { partitions: 5 });
  setLoad(0.3, 0);
  assert.equal(await look(), 5);
  setLoad(0, 0.3);
  assert.equal(await look(), 5);
  setLoad(0.29, 0.29);
  assert.equal(await look(), 2);
});

test('the bandwidth is that of the type of the stream', async (t) => {
  const { setLoad, look } = await setUp(t, { partitions: 4, settings: { type: 'ADVANCED' } });
  setLoad(0.31, 0.31);
  assert.equal(await look(), 4);
  setLoad(0.81, 0.31, 1);
  assert.equal(await look(), 7);
});

test('where nothing is throttled, an upload of the whole bandwidth says the same', async (t) => {
  const { setLoad, look } = await setUp(t, { partitions: 1, limits: { profile: 'none' } });
  setLoad(0.99, 0, 1);
  assert.equal(await look(), 1);
  setLoad(1, 0);
  assert.equal(await look(), 2);
});

test('up to the next whole number of n / 0.6, within the bounds of the stream and the quota of its project', async (t) => {
  const ups = [
    [1, 2],
    [2, 4],
    [3, 5],
    [6, 10],
    [7, 12],
  ] as const;
  for (const [from, to] of ups) {
    const { setLoad, look } = await setUp(t, { partitions: from });
    setLoad(1, 1, 1);
    assert.equal(await look(), to, `${from}`);
  }
  const bounded = await setUp(t, { partitions: 6, settings: { autoScaleMax: 8 } });
  bounded.setLoad(1, 1, 1);
  assert.equal(await bounded.look(), 8);
  bounded.clock.advance(2 * MINUTE_MS);
  bounded.setLoad(1, 1, 1);
  assert.equal(await bounded.look(), 8);

  const crowded = await setUp(t, { partitions: 6, limits: { common_partitions: 12 } });
  await crowded.create('other', 5, { autoScaleEnabled: false });
  await crowded.create('advanced', 3, { type: 'ADVANCED', autoScaleEnabled: false });
  crowded.setLoad(1, 1, 1);
  assert.equal(await crowded.look(), 7);
  crowded.clock.advance(2 * MINUTE_MS);
  crowded.setLoad(1, 1, 1);
  assert.equal(await crowded.look(), 7);
  // What is known to be in vain is not tried.
  assert.equal(crowded.registry.byNumber(crowded.stream.number)!.scalings.length, 1);
});

test('down to half, rounded down, and not below the minimum, or 1', async (t) => {
  const downs = [
    [1, undefined, 1],
    [2, undefined, 1],
    [7, undefined, 3],
    [8, 5, 5],
    [8, 8, 8],
    // Made smaller by hand than it may become by itself: that is not made good.
    [4, 6, 4],
  ] as const;
  for (const [from, autoScaleMin, to] of downs) {
    const { look } = await setUp(t, { partitions: from, settings: { autoScaleMin } });
    assert.equal(await look(), to, `${from}`);
  }
});

test('more than a minute between two scalings, more than two when the direction changes', async (t) => {
  const { setLoad, look, clock } = await setUp(t, { partitions: 3 });
  setLoad(1, 1, 1);
  assert.equal(await look(), 5);
  clock.advance(MINUTE_MS);
  setLoad(1, 1, 1);
  assert.equal(await look(), 5);
  clock.advance(1);
  assert.equal(await look(), 9);
  setLoad(0, 0);
  clock.advance(2 * MINUTE_MS);
  assert.equal(await look(), 9);
  clock.advance(1);
  assert.equal(await look(), 4);
  clock.advance(MINUTE_MS + 1);
  assert.equal(await look(), 2);
  clock.advance(2 * MINUTE_MS);
  setLoad(1, 1, 1);
  assert.equal(await look(), 2);
  clock.advance(1);
  assert.equal(await look(), 4);
});

test('a scaling by hand counts as one, a failed try does not; no hourly rule holds', async (t) => {
  const { setLoad, look, clock, stream, ...deps } = await setUp(t, { partitions: 3, limits: { scalings_per_hour: 1 } });
  await assert.rejects(scaleStream({ ...deps, clock }, stream, 51));
  setLoad(1, 1, 1);
  assert.equal(await look(), 5);
  clock.advance(60 * MINUTE_MS);
  await scaleStream({ ...deps, clock }, stream, 3);
  clock.advance(2 * MINUTE_MS);
  setLoad(1, 1, 1);
  assert.equal(await look(), 3);
  clock.advance(1);
  assert.equal(await look(), 5);
  assert.deepEqual(
    deps.registry.byNumber(stream.number)!.scalings.map(({ automatic, succeeded }) => [automatic, succeeded]),
    [
      [false, false],
      [true, true],
      [false, true],
      [true, true],
    ],
  );
});

test('a minute that the server or the stream has not seen whole says nothing', async (t) => {
  const { clock, create, registry, ...rest } = await setUp(t, { partitions: 1 });
  clock.advance(1);
  const young = await create('young', 8);
  const restarted = new AutoScaler({ ...rest, clock, registry });
  const count = () => writableCount(registry.byNumber(young.number)!);
  clock.advance(2 * MINUTE_MS - 2);
  await rest.scaler.look();
  await restarted.look();
  assert.equal(count(), 8);
  clock.advance(1);
  await restarted.look();
  assert.equal(count(), 4);
});

test('a stream that does not want it is left alone, and trouble with one stream does not keep the others', async (t) => {
  const { create, scaler, registry, catalog, clock, complaints, stream, count } = await setUp(t, { partitions: 8 });
  const still = await create('still', 8, { autoScaleEnabled: false });
  const other = await create('other', 8);
  clock.advance(3 * MINUTE_MS);
  await catalog.db.deleteFrom('streams').where('number', '=', stream.number).execute();
  await scaler.look();
  assert.deepEqual(complaints, ['stream not scaled']);
  assert.equal(count(), 8);
  assert.equal(writableCount(registry.byNumber(still.number)!), 8);
  assert.equal(writableCount(registry.byNumber(other.number)!), 4);
});
