import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededRandom } from '../../test/support/random.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { selectDeletedStreamNumbers, selectStreams } from '../catalog/streams.ts';
import { isDomainError } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import type { Stream } from '../model/stream.ts';
import { createStream } from './create-stream.ts';
import { deleteStream, type StreamDeletedHook } from './delete-stream.ts';

const PROJECT = 'p1';

const settings = (name: string, partitionCount = 1) => makeSettings({ name, partitionCount });

async function setUp(t: TestContext, onStreamDeleted: StreamDeletedHook[] = []) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const recordLog = new MemoryLog(clock);
  const { registry, streamChanges } = streamNode({ catalog, clock, recordLog });
  return {
    catalog,
    clock,
    recordLog,
    registry,
    streamChanges,
    limits: Value.Default(LimitsSchema, {}) as Limits,
    random: seededRandom(1),
    onStreamDeleted,
  };
}

test('a created stream is the same in the registry and in the catalog, and can be written to', async (t) => {
  const deps = await setUp(t);
  const made = await createStream(deps, PROJECT, { ...settings('orders', 3), tags: [{ key: 'a', value: 'b' }] });
  assert.deepEqual(await selectStreams(deps.catalog.db), [made]);
  assert.equal(deps.registry.find(PROJECT, 'orders'), made);
  for (const { ref } of made.partitions) assert.deepEqual(await deps.recordLog.bounds(ref), { first: 0, next: 0 });
});

test('a stream of more partitions than fit one statement', async (t) => {
  const deps = await setUp(t);
  const limits = { ...deps.limits, common_partitions: 2500 };
  const made = await createStream({ ...deps, limits }, PROJECT, settings('wide', 2500));
  assert.deepEqual(await selectStreams(deps.catalog.db), [made]);
});

test('a create over the quota leaves nothing behind', async (t) => {
  const deps = await setUp(t);
  await createStream(deps, PROJECT, settings('a', 30));
  await assert.rejects(createStream(deps, PROJECT, settings('b', 21)), (error) =>
    isDomainError(error, 'QuotaExceeded'),
  );
  assert.equal(deps.registry.find(PROJECT, 'b'), undefined);
  assert.equal((await selectStreams(deps.catalog.db)).length, 1);
  await createStream(deps, PROJECT, settings('b', 20));
  // Another project has a quota of its own.
  await createStream(deps, 'p2', settings('b', 50));
});

test('a deleted stream is gone everywhere, and its number is remembered and not used again', async (t) => {
  const seen: unknown[] = [];
  const deps = await setUp(t, [
    async (stream: Stream) => {
      seen.push({
        known: deps.registry.byNumber(stream.number) !== undefined,
        stored: (await selectStreams(deps.catalog.db)).length,
        readable: await deps.recordLog.bounds(stream.partitions[0]!.ref),
      });
    },
  ]);
  const old = await createStream(deps, PROJECT, settings('orders'));
  await deleteStream(deps, old);
  assert.deepEqual(seen, [{ known: false, stored: 0, readable: { first: 0, next: 0 } }]);
  await assert.rejects(
    () => deps.recordLog.bounds(old.partitions[0]!.ref),
    (error) => isDomainError(error, 'StreamNotFound'),
  );
  assert.deepEqual(await selectDeletedStreamNumbers(deps.catalog.db), [old.number]);
  assert.ok((await createStream(deps, PROJECT, settings('orders'))).number > old.number);
});

test('a delete that the catalog refuses leaves the stream as it was', async (t) => {
  const deps = await setUp(t);
  const stream = await createStream(deps, PROJECT, settings('orders'));
  // The row that a delete writes is there already: its transaction fails.
  await deps.catalog.db.insertInto('deleted_streams').values({ number: stream.number, deleted_at: 0 }).execute();
  await assert.rejects(deleteStream(deps, stream));
  assert.equal(deps.registry.find(PROJECT, 'orders'), stream);
  assert.deepEqual(await selectStreams(deps.catalog.db), [stream]);
});

test('a hook that fails does not keep the records of a deleted stream', async (t) => {
  const deps = await setUp(t, [() => Promise.reject(new Error('engine'))]);
  const stream = await createStream(deps, PROJECT, settings('orders'));
  await assert.rejects(deleteStream(deps, stream), /engine/);
  await assert.rejects(() => deps.recordLog.bounds(stream.partitions[0]!.ref));
});

test('the registry finds streams by name within their project, by id and by number', async (t) => {
  const deps = await setUp(t);
  const { registry } = deps;
  const [b, a] = [
    await createStream(deps, PROJECT, settings('b')),
    await createStream(deps, PROJECT, settings('a')),
  ] as const;
  assert.equal(registry.find(PROJECT, 'b'), b);
  assert.equal(registry.find('p2', 'b'), undefined);
  assert.equal(registry.byId(a.id), a);
  assert.equal(registry.byNumber(b.number), b);
  assert.deepEqual(registry.ofProject(PROJECT), [a, b]);
  assert.deepEqual(registry.ofProject('p2'), []);
});
