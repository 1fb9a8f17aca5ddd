import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { withRig, type DumpRig, type RigOptions } from '../../../test/support/dump-rig.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import type { Database } from '../../catalog/schema.ts';
import { writePlans } from '../cuts/planner.ts';
import { updateTask } from '../tasks/update-task.ts';
import { deliveredUntil, SETTLE_MS } from './delivered-until.ts';

const BY_PLAN: DumpDescriptor = {
  task_name: 'archive',
  obs_bucket_path: 'bucket',
  partition_format: 'yyyy/MM/dd/HH/mm',
  consumer_strategy: 'TRIM_HORIZON',
  deliver_time_interval: 10,
  manifest: true,
};
const BY_RECORD: DumpDescriptor = {
  ...BY_PLAN,
  lateness_interval: 30,
  processing_schema: { timestamp_name: 't', timestamp_type: 'Timestamp' },
};

function onRig(name: string, run: (rig: DumpRig) => Promise<void>, options: RigOptions = {}): void {
  test(name, withRig(run, { partitions: 2, dataType: 'JSON', ...options }));
}

const until = async (rig: DumpRig, id: string) =>
  deliveredUntil(
    { catalog: rig.catalog, recordLog: rig.log, streams: rig.registry, clock: rig.clock },
    rig.engine.task(id)!,
  );

onRig('where nothing waits it is now, less what may be on its way to the disk', async (rig) => {
  const id = await rig.create(BY_RECORD);
  assert.equal(await until(rig, id), rig.clock.now() - SETTLE_MS);
});

onRig('it is when the first record that is not delivered arrived, whatever time it says itself', async (rig) => {
  const id = await rig.create(BY_RECORD);
  await rig.advance(5000);
  const first = rig.clock.now();
  await rig.put(0, '{"t":1}', '{"t":2}');
  await rig.advance(3000);
  await rig.put(1, '{"t":3}');
  await rig.put(0, '{"t":4}');
  assert.equal(await until(rig, id), first);
  rig.store.always = 'before';
  await rig.advance(60_000);
  assert.equal(await until(rig, id), first, 'a plan that fails is not delivered');
  rig.store.always = undefined;
  await rig.advance(30_000);
  assert.equal(await until(rig, id), rig.clock.now() - SETTLE_MS);
});

onRig('for directories of the plan, what is not planned yet does not count', async (rig) => {
  const id = await rig.create(BY_PLAN);
  await rig.put(0, '{}');
  assert.equal(await until(rig, id), rig.clock.now());
  rig.store.always = 'before';
  await rig.advance(30_000);
  const [plan] = await rig.rows();
  assert.equal(await until(rig, id), plan!.created_at);
});

onRig('an open plan counts as its own settings say', async (rig) => {
  const id = await rig.create(BY_RECORD);
  const arrived = rig.clock.now();
  await rig.put(0, '{"t":1}');
  rig.store.always = 'before';
  await rig.advance(30_000);
  await updateTask(rig.services, rig.stream, BY_PLAN);
  assert.equal(await until(rig, id), arrived);
});

onRig('it cannot be told while the task lacks a partition, or what it has not delivered has expired', async (rig) => {
  const id = await rig.create(BY_RECORD);
  await rig.put(0, '{"t":1}', '{"t":2}');
  await rig.log.trim({ stream: rig.stream.number, partition: 0 }, 1);
  assert.equal(await until(rig, id), -Infinity);
  await rig.advance(30_000);
  assert.notEqual(await until(rig, id), -Infinity);
  await rig.scale(3);
  assert.equal(await until(rig, id), -Infinity);
});

onRig('a record that arrives as the lateness ends is late; one that arrives before is waited for', async (rig) => {
  await rig.create(BY_RECORD);
  const start = rig.clock.now();
  const deadline = start + 60_000 + 30_000;
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(15_000);
  rig.store.always = 'before';
  rig.clock.advance(deadline - 1 - rig.clock.now());
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(20_000);
  const completed = async () =>
    (await rig.catalog.db.selectFrom('dump_periods').selectAll().execute())[0]!.completed_at;
  assert.equal(await completed(), null);
  rig.store.always = undefined;
  await rig.advance(40_000);
  assert.notEqual(await completed(), null);
});

onRig('and so it is the other way round', async (rig) => {
  await rig.create(BY_RECORD);
  const start = rig.clock.now();
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(15_000);
  rig.store.always = 'before';
  rig.clock.advance(start + 90_000 - rig.clock.now());
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(20_000);
  const [period] = await rig.catalog.db.selectFrom('dump_periods').selectAll().execute();
  assert.notEqual(period!.completed_at, null);
});

onRig('a plan whose transaction is under way has its time already', async (rig) => {
  const id = await rig.create(BY_PLAN);
  await rig.put(0, '{}');
  await rig.advance(55_000);
  await rig.put(0, '{}');
  const written = Promise.withResolvers<void>();
  const { db } = rig.catalog;
  const execute = async (run: (transaction: Transaction<Database>) => Promise<unknown>) => {
    const result = await db.transaction().execute(run);
    await written.promise;
    return result;
  };
  const builder = { execute, setIsolationLevel: () => builder };
  const { cluster } = rig.engine.parts;
  const slow = { ...rig.catalog, db: { transaction: () => builder } as unknown as Kysely<Database> };
  const [pair] = rig.engine.task(id)!.pairs;
  const due = [{ pair: pair!, to: 2 }];
  const planning = rig.engine.quietly(() => writePlans({ catalog: slow, cluster, clock: rig.clock }, due, []));
  rig.store.always = 'before';
  while (!(await rig.rows()).some(({ state }) => state === 2)) await setImmediate();
  rig.clock.advance(10_000);
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  written.resolve();
  await planning;
  await rig.settle();
  const completed = async () =>
    (await rig.catalog.db.selectFrom('dump_periods').selectAll().execute())[0]!.completed_at;
  assert.equal(await completed(), null);
  rig.store.always = undefined;
  await rig.advance(40_000);
  assert.ok((await completed())! >= (await rig.rows()).at(-1)!.end_time);
});

onRig('what cannot be told of one task does not hold up the periods of the others', async (rig) => {
  const start = rig.clock.now();
  for (const task_name of ['first', 'second', 'third', 'fourth', 'fifth']) {
    await rig.create({ ...BY_RECORD, task_name, lateness_interval: 0 });
  }
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(15_000);
  rig.log.arrivalTime = async () => {
    throw new Error('EIO');
  };
  rig.store.faults.push('hang');
  await rig.put(0, JSON.stringify({ t: start }));
  await rig.advance(60_000);
  const periods = await rig.catalog.db.selectFrom('dump_periods').selectAll().execute();
  const completed = periods.filter(({ completed_at }) => completed_at !== null);
  assert.deepEqual([periods.length, completed.length], [5, 4], 'one waits for its record');
});
