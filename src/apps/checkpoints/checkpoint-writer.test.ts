import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestCatalog, type TestCatalog } from '../../../test/support/catalog.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { makeStream } from '../../../test/support/streams.ts';
import { insertApp } from '../../catalog/apps.ts';
import { selectCheckpoints } from '../../catalog/checkpoints.ts';
import { isDomainError } from '../../model/errors.ts';
import { StreamRegistry } from '../../streams/stream-registry.ts';
import { AppRegistry } from '../app-registry.ts';
import { deleteApp } from '../delete-app.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';

const APP = { id: 'app', projectId: 'project', name: 'app', createdAt: 0 };
const STREAM = makeStream({ partitionCount: 3 });

async function open(catalog: TestCatalog) {
  await insertApp(catalog.db, APP);
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
  const writer = new CheckpointWriter({ db, apps, registry, clock: new ManualClock() });
  const commit = (partition: number, sequence: number, app = APP) =>
    writer.commit({ app, stream: STREAM, ref: { stream: 1, partition }, sequence, metadata: '' });
  const stored = async () =>
    (await selectCheckpoints(catalog.reader, 'app', 1)).map(({ partition, sequence }) => [partition, sequence]);
  return { apps, registry, writer, commit, stored, transactions: () => transactions };
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
  const { apps, registry, commit, stored } = await open(catalog);
  await commit(2, 1);
  const groups = { onlineMembers: () => 0, forget: () => undefined };
  const [first, , second] = await Promise.allSettled([
    commit(0, 1),
    deleteApp({ apps, catalog, groups: groups as never }, APP),
    commit(1, 1),
  ]);
  assert.ok(first.status === 'fulfilled' || isDomainError(first.reason, 'AppNotFound'));
  assert.ok(second.status === 'rejected' && isDomainError(second.reason, 'AppNotFound'));
  assert.deepEqual(await stored(), []);

  apps.add(APP);
  await insertApp(catalog.db, APP);
  const late = commit(0, 1);
  registry.remove(STREAM);
  await assert.rejects(late, (error) => isDomainError(error, 'StreamNotFound'));
  assert.deepEqual(await stored(), []);
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
