import assert from 'node:assert/strict';
import test from 'node:test';
import { DumpRig } from '../../../test/support/dump-rig.ts';
import { DomainError } from '../../model/errors.ts';
import { createTask } from './create-task.ts';
import { deleteTask } from './delete-task.ts';
import { listTasks } from './list-tasks.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import { showTask } from './show-task.ts';
import { stopTasks } from './stop-tasks.ts';
import { updateTask } from './update-task.ts';

const named = (name: string, more: Partial<DumpDescriptor> = {}): DumpDescriptor => ({
  task_name: name,
  obs_bucket_path: 'bucket',
  deliver_time_interval: 60,
  ...more,
});

test('names are unique among the live tasks of a stream, and their number is limited', async () => {
  await using rig = await DumpRig.open({ limits: { tasks_per_stream: 2 } });
  const { services, stream } = rig;
  await createTask(services, stream, named('a'));
  await assert.rejects(createTask(services, stream, named('a')), { kind: 'TaskExists' });
  await createTask(services, stream, named('b'));
  await assert.rejects(createTask(services, stream, named('c')), { kind: 'TooManyTasks' });
  await createTask(services, await rig.addStream('other', 1), named('a'));
  await deleteTask(services, stream, 'a');
  await createTask(services, stream, named('a'));
});

test('of tasks made at the same time under one name, one is made', async () => {
  await using rig = await DumpRig.open();
  const made = await Promise.allSettled([1, 2, 3].map(() => createTask(rig.services, rig.stream, named('a'))));
  assert.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  assert.equal((await listTasks(rig.services, rig.stream, 10, undefined)).total, 1);
});

test('a bucket that is missing refuses create and update, and leaves nothing', async () => {
  await using rig = await DumpRig.open();
  const { stream } = rig;
  await createTask(rig.services, stream, named('a'));
  const objectStore = {
    ...rig.services.objectStore,
    checkBucket: async (bucket: string) => {
      throw new DomainError('BucketNotFound', [bucket]);
    },
  };
  const services = { ...rig.services, objectStore };
  await assert.rejects(createTask(services, stream, named('b')), { kind: 'BucketNotFound' });
  await assert.rejects(updateTask(services, stream, named('a')), { kind: 'BucketNotFound' });
  assert.equal((await listTasks(services, stream, 10, undefined)).total, 1);
  assert.equal((await showTask(services, stream, 'a')).version, 1);
});

test('a stream that goes while its task is made refuses the task', async () => {
  await using rig = await DumpRig.open();
  await rig.catalog.db.deleteFrom('streams').where('number', '=', rig.stream.number).execute();
  await assert.rejects(createTask(rig.services, rig.stream, named('a')), { kind: 'StreamNotFound' });
});

test('pages of tasks are in order of name and begin behind the one that is named', async () => {
  await using rig = await DumpRig.open();
  for (const name of ['c', 'a', 'B', 'd']) await createTask(rig.services, rig.stream, named(name));
  const page = async (limit: number, after?: string) => {
    const { total, tasks } = await listTasks(rig.services, rig.stream, limit, after);
    assert.equal(total, 4);
    return tasks.map(({ name }) => name);
  };
  assert.deepEqual(await page(10), ['B', 'a', 'c', 'd']);
  assert.deepEqual(await page(2), ['B', 'a']);
  assert.deepEqual(await page(2, 'a'), ['c', 'd']);
  assert.deepEqual(await page(2, 'b'), ['c', 'd']);
  assert.deepEqual(await page(2, 'd'), []);
});

test('show tells settings, state and how far each partition has got', async () => {
  await using rig = await DumpRig.open({ partitions: 2 });
  const { services, stream } = rig;
  const id = await createTask(services, stream, named('a', { file_prefix: 'in' }));
  await rig.settle();
  await rig.put(0, 'x', 'y');
  await rig.put(1, 'z');
  rig.store.faults.push('none', 'hang');
  await rig.advance(60_000);
  const shown = await showTask(services, stream, 'a');
  assert.equal(shown.id, id);
  assert.equal(shown.settings.prefix, 'in');
  const delivered = shown.partitions.find(({ position }) => position === 2);
  assert.deepEqual(delivered, {
    partitionId: 'shardId-0000000000',
    state: 'RUNNING',
    discarded: 0,
    lastTransferAt: rig.clock.now(),
    position: 2,
    end: undefined,
    trouble: undefined,
    undelivered: 0,
    oldestAt: undefined,
    expiresAt: undefined,
  });
  assert.equal(shown.lastTransferAt, rig.clock.now());
  assert.equal(shown.partitions[1]?.lastTransferAt, undefined);
  await stopTasks(services, stream, [id]);
  assert.equal((await showTask(services, stream, 'a')).partitions[0]?.state, 'PAUSED');
  await assert.rejects(showTask(services, stream, 'b'), { kind: 'TaskNotFound' });
});

test('a partition that fails is ABNORMAL, and so is its task; the others run', async () => {
  await using rig = await DumpRig.open({ partitions: 2 });
  await createTask(rig.services, rig.stream, named('a'));
  await rig.settle();
  await rig.put(1, 'z');
  rig.store.always = 'before';
  await rig.advance(60_000);
  const { state, partitions } = await showTask(rig.services, rig.stream, 'a');
  assert.equal(state, 'ABNORMAL');
  assert.deepEqual(
    partitions.map((partition) => partition.state),
    ['RUNNING', 'ABNORMAL'],
  );
});

test('update replaces all settings but the strategy, which cannot change', async () => {
  await using rig = await DumpRig.open();
  const { services, stream } = rig;
  await createTask(services, stream, named('a', { consumer_strategy: 'TRIM_HORIZON', file_prefix: 'in' }));
  await updateTask(services, stream, named('a', { record_delimiter: ',' }));
  const { version, settings } = await showTask(services, stream, 'a');
  assert.equal(version, 2);
  assert.deepEqual([settings.prefix, settings.delimiter, settings.consumerStrategy], ['', ',', 'TRIM_HORIZON']);
  const latest = named('a', { consumer_strategy: 'LATEST' });
  await assert.rejects(updateTask(services, stream, latest), { kind: 'InvalidBody' });
  await assert.rejects(updateTask(services, stream, named('b')), { kind: 'TaskNotFound' });
});
