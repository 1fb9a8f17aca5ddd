import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestCatalog, type TestCatalog } from '../../../test/support/catalog.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { makeStream } from '../../../test/support/streams.ts';
import Value from 'typebox/value';
import { makePrincipal } from '../../../test/support/principal.ts';
import { alone } from '../../../test/support/test-cluster.ts';
import { insertApp } from '../../catalog/apps.ts';
import { selectCheckpoints } from '../../catalog/checkpoints.ts';
import { deleteStreamRows, insertStream } from '../../catalog/streams.ts';
import { isDomainError, type DomainError } from '../../model/errors.ts';
import { LimitsSchema, type Limits } from '../../model/limits.ts';
import { splitHashSpace } from '../../streams/hash-ranges.ts';
import { StreamRegistry } from '../../streams/stream-registry.ts';
import { AppChanges } from '../app-changes.ts';
import { AppFollower } from '../app-follower.ts';
import { AppRegistry } from '../app-registry.ts';
import { deleteApp } from '../delete-app.ts';
import { GroupCoordinator } from '../groups/group-coordinator.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';

const APP = { id: 'app', projectId: 'project', name: 'app', createdAt: 0 };
const STREAM = makeStream({ partitionCount: 3 });

async function open(catalog: TestCatalog) {
  await insertApp(catalog.db, APP);
  const stream = await insertStream(catalog.db, { ...STREAM, hashRanges: splitHashSpace(3) });
  assert.ok(stream?.number === 1);
  const apps = new AppRegistry([APP]);
  const registry = new StreamRegistry([STREAM]);
  let transactions = 0;
  // Counts what goes to the disk.
  const db = new Proxy(catalog.db, {
    get(target, name) {
      if (name === 'transaction') transactions += 1;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const clock = new ManualClock();
  const limits = Value.Default(LimitsSchema, {}) as Limits;
  const groups = new GroupCoordinator({ db: catalog.db, apps, registry, clock, limits, shared: false });
  const { memory } = new AppFollower({ db: catalog.db, apps, clock, onGone: () => undefined, onError: assert.ifError });
  const appChanges = new AppChanges({ db: catalog.db, cluster: alone(), memory });
  const writer = new CheckpointWriter({ db, groups, clock });
  const commit = (partition: number, sequence: number, app = APP) =>
    writer.commit({ app, stream, ref: { stream: 1, partition }, sequence, metadata: '', member: undefined });
  const stored = async () =>
    (await selectCheckpoints(catalog.reader, 'app', 1)).map(({ partition, sequence }) => [partition, sequence]);
  return { apps, appChanges, groups, writer, commit, stored, transactions: () => transactions };
}

test('a thousand commits at once take a few transactions, and the last one of each partition stays', async () => {
  await using catalog = await openTestCatalog();
  const { commit, stored, transactions } = await open(catalog);
  await Promise.all(Array.from({ length: 1000 }, (_, sequence) => commit(sequence % 3, sequence)));
  assert.deepEqual(await stored(), [
    [0, 999],
    [1, 997],
    [2, 998],
  ]);
  assert.ok(transactions() <= 2, `${transactions()} transactions`);
});

test('commits and deletes take effect in the order in which they came', async () => {
  await using catalog = await openTestCatalog();
  const { writer, commit, stored } = await open(catalog);
  await Promise.all([commit(0, 1), commit(1, 1), writer.delete(APP, STREAM, 0), commit(1, 2), commit(2, 2)]);
  assert.deepEqual(await stored(), [
    [1, 2],
    [2, 2],
  ]);
  await Promise.all([commit(0, 3), writer.delete(APP, STREAM), commit(1, 4)]);
  assert.deepEqual(await stored(), [[1, 4]]);
});

test('a commit that is overtaken by the deletion of its app or stream is refused and leaves nothing behind', async () => {
  await using catalog = await openTestCatalog();
  const { apps, appChanges, groups, commit, stored } = await open(catalog);
  await commit(2, 1);
  const [first, , second] = await Promise.allSettled([
    commit(0, 1),
    deleteApp({ appChanges, groups }, APP),
    commit(1, 1),
  ]);
  assert.ok(first.status === 'fulfilled' || isDomainError(first.reason, 'AppNotFound'));
  // It is known to nobody: not here either.
  assert.equal(apps.find('project', 'app'), undefined);
  await assert.rejects(commit(1, 2), (error) => isDomainError(error, 'AppNotFound'));
  assert.ok(second.status === 'fulfilled' || isDomainError(second.reason, 'AppNotFound'));
  assert.deepEqual(await stored(), []);

  await insertApp(catalog.db, APP);
  await commit(0, 1);
  await catalog.db.transaction().execute((transaction) => deleteStreamRows(transaction, 1, 0));
  await assert.rejects(commit(0, 2), (error) => isDomainError(error, 'StreamNotFound'));
  assert.deepEqual(await stored(), []);
});

test('a member’s commit is taken while the partition is its own; one that is refused hides no other', async () => {
  await using catalog = await openTestCatalog();
  const { groups, writer, stored } = await open(catalog);
  const call = {
    clientId: 'a',
    interest: { caller: makePrincipal(), names: ['stream1'], ids: [], pattern: undefined },
    accelerated: true,
    rebalanceTimeoutMs: undefined,
  };
  await groups.join('project', 'app', call);
  const commit = (clientId: string, generation: number | undefined, sequence: number) =>
    writer.commit({
      app: APP,
      stream: STREAM,
      ref: { stream: 1, partition: 0 },
      sequence,
      metadata: '',
      member: { clientId, generation },
    });
  const results = await Promise.allSettled([commit('a', 1, 5), commit('b', 1, 6), commit('a', 0, 7)]);
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? (result.reason as DomainError).kind : 'stored')),
    ['stored', 'MemberGone', 'GenerationMismatch'],
  );
  assert.deepEqual(await stored(), [[0, 5]]);
});

test('what cannot be stored is told to everybody whose commit it was, and the next one is tried again', async () => {
  await using catalog = await openTestCatalog();
  const { commit, stored } = await open(catalog);
  await catalog.db.schema.alterTable('checkpoints').renameTo('away').execute();
  const results = await Promise.allSettled([commit(0, 1), commit(1, 1)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await catalog.db.schema.alterTable('away').renameTo('checkpoints').execute();
  await commit(0, 2);
  assert.deepEqual(await stored(), [[0, 2]]);
});
