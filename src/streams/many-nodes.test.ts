/** Several nodes over one catalog: what one has changed the others know once it is answered, and no change undoes another. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import Value from 'typebox/value';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { seededRandom } from '../../test/support/random.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeSettings } from '../../test/support/streams.ts';
import { TestCluster } from '../../test/support/test-cluster.ts';
import { selectStreams } from '../catalog/streams.ts';
import { DomainError, isDomainError } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import { takeChanges } from '../take-changes.ts';
import { createStream } from './create-stream.ts';
import { deleteStream } from './delete-stream.ts';
import { writableCount } from './repartition.ts';
import { scaleStream } from './scale-stream.ts';
import { addTag } from './tags.ts';
import { updateStream } from './update-stream.ts';

const PROJECT = 'p1';

async function setUp(t: Pick<TestContext, 'after'>, count = 3) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  const clock = new ManualClock();
  const cluster = new TestCluster();
  const recordLog = new MemoryLog(clock);
  const limits = { ...(Value.Default(LimitsSchema, {}) as Limits), scalings_per_hour: 1000 };
  const random = seededRandom(1);
  const nodes = Array.from({ length: count }, () => {
    const member = cluster.join();
    const gone: number[] = [];
    const node = streamNode({ catalog, clock, recordLog, cluster: member, onGone: (stream) => gone.push(stream) });
    const take = takeChanges({
      streams: node.memory,
      apps: { read: async () => undefined } as never,
      tasks: { read: async () => undefined } as never,
      storeMetrics: async () => undefined,
      onError: () => undefined,
    });
    member.follow(take);
    const deps = { ...node, catalog, clock, recordLog, limits, random, onStreamDeleted: [], onStreamUpdated: [] };
    return { ...deps, gone, take, find: (name: string) => node.registry.find(PROJECT, name) };
  });
  const known = () => nodes.map(({ registry }) => [...registry.all()].sort((a, b) => a.number - b.number));
  return { catalog, clock, recordLog, nodes, known };
}

test('a stream that is made, scaled and deleted through three nodes', async (t) => {
  const { nodes, known, recordLog } = await setUp(t);
  const [a, b, c] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]];
  const made = await createStream(a, PROJECT, makeSettings({ name: 'orders', partitionCount: 2 }));
  for (const node of nodes) assert.deepEqual(node.find('orders'), made);
  await scaleStream(b, b.find('orders')!, 5);
  for (const node of nodes) assert.equal(writableCount(node.find('orders')!), 5);
  await updateStream(c, c.find('orders')!, { retentionHours: 48 });
  await addTag(a, a.find('orders')!, { key: 'k', value: 'v' });
  for (const node of nodes) {
    const stream = node.find('orders')!;
    const { retentionHours, tags } = stream;
    assert.deepEqual([retentionHours, tags, writableCount(stream)], [48, [{ key: 'k', value: 'v' }], 5]);
  }
  await deleteStream(b, b.find('orders')!);
  assert.deepEqual(known(), [[], [], []]);
  assert.deepEqual(
    nodes.map(({ gone }) => gone),
    nodes.map(() => [made.number]),
  );
  await assert.rejects(recordLog.bounds(made.partitions[0]!.ref));
  // Of two nodes that delete it at once one is told.
  const again = await createStream(c, PROJECT, makeSettings({ name: 'orders' }));
  const results = await Promise.allSettled([deleteStream(a, again), deleteStream(b, again)]);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 1);
  assert.ok(isDomainError(refused[0]!.reason, 'StreamNotFound'));
});

test('changes of one stream through different nodes at once: none is lost', async (t) => {
  const { nodes } = await setUp(t);
  await createStream(nodes[0]!, PROJECT, makeSettings({ name: 'orders' }));
  const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
  await Promise.all(
    keys.map((key, index) => {
      const node = nodes[index % 3]!;
      return addTag(node, node.find('orders')!, { key, value: '' });
    }),
  );
  for (const node of nodes) {
    assert.deepEqual(
      node
        .find('orders')!
        .tags.map(({ key }) => key)
        .sort(),
      keys.toSorted(),
    );
  }
});

test('a node that cannot take a change in holds up nobody, knows that it is behind, and catches up by itself', async (t) => {
  const { clock, nodes, recordLog } = await setUp(t, 2);
  const [here, there] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  await createStream(here, PROJECT, makeSettings({ name: 'orders' }));
  const add = recordLog.addPartitions.bind(recordLog);
  let calls = 0;
  // The first to ask, the node that scales, succeeds.
  recordLog.addPartitions = (refs) =>
    (calls += 1) === 1 ? add(refs) : Promise.reject(new DomainError('LogUnavailable'));
  await scaleStream(here, here.find('orders')!, 3);
  assert.equal(here.memory.current, true);
  assert.equal(there.memory.current, false);
  assert.equal(writableCount(there.find('orders')!), 1);
  recordLog.addPartitions = add;
  clock.advance(1000);
  while (!there.memory.current) await setImmediate();
  assert.equal(writableCount(there.find('orders')!), 3);
});

test('everything is read again after a lapse: what went, what came, what changed', async (t) => {
  const { nodes, known } = await setUp(t, 2);
  const [here, there] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  for (const name of ['stays', 'changes', 'goes']) await createStream(here, PROJECT, makeSettings({ name }));
  const stays = there.find('stays');
  // What `there` is not told.
  const lapsed = streamNode({ catalog: here.catalog, clock: here.clock, recordLog: here.recordLog });
  await lapsed.memory.read('all');
  await deleteStream({ ...here, ...lapsed }, here.find('goes')!);
  await addTag({ ...here, ...lapsed }, here.find('changes')!, { key: 'k', value: 'v' });
  await createStream({ ...here, ...lapsed }, PROJECT, makeSettings({ name: 'comes' }));
  for (const node of nodes) await node.take('all');
  assert.deepEqual(known()[0], await selectStreams(here.catalog.db));
  assert.deepEqual(known()[1], known()[0]);
  assert.equal(there.find('stays'), stays, 'the same value: nothing of it has changed');
});

test('property: whoever changes what, all nodes know what the catalog says', async (t) => {
  const name = fc.constantFrom('a', 'b');
  const step = fc.record({
    node: fc.nat({ max: 2 }),
    name,
    what: fc.constantFrom('create' as const, 'delete' as const, 'scale' as const, 'tag' as const),
    value: fc.integer({ min: 1, max: 4 }),
    /** Not waited for before the next one. */
    together: fc.boolean(),
  });
  const after: (() => Promise<void>)[] = [];
  t.after(async () => void (await Promise.all(after.map((close) => close()))));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { catalog, nodes, known } = await setUp({
        after: (close) => void after.push(close as () => Promise<void>),
      });
      let running: Promise<unknown>[] = [];
      for (const { node: index, name: wanted, what, value, together } of steps) {
        const node = nodes[index]!;
        const stream = node.find(wanted);
        const run = async () => {
          if (what === 'create') {
            await createStream(node, PROJECT, makeSettings({ name: wanted, partitionCount: value }));
          } else if (stream !== undefined) {
            if (what === 'delete') await deleteStream(node, stream);
            else if (what === 'scale') await scaleStream(node, stream, value);
            else await addTag(node, stream, { key: `k${value}`, value: '' });
          }
        };
        running.push(
          run().catch((error: unknown) => {
            // Another one was quicker.
            if (!(error instanceof DomainError)) throw error;
          }),
        );
        if (together) continue;
        await Promise.all(running);
        running = [];
      }
      await Promise.all(running);
      const stored = await selectStreams(catalog.db);
      for (const streams of known()) assert.deepEqual(streams, stored);
    }),
    { numRuns: 20 },
  );
});
