/** Undelivered records do not expire without a word: a row of the log, and the numbers for Prometheus. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { deleteTask } from './delete-task.ts';
import { showTask } from './show-task.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';
import { updateTask } from './update-task.ts';

const HOUR = 3_600_000;
/** The stream keeps its records for 24 hours: 18 may pass without a word. */
const SAFE = 18 * HOUR;
const RETENTION = 24 * HOUR;

/** Long waits in few steps: the timers in between all fire. */
async function wait(rig: DumpRig, ms: number): Promise<void> {
  rig.clock.advance(ms);
  await rig.settle();
}

/** A task that delivers nothing as long as it is stopped. */
async function createStopped(rig: DumpRig, more = {}): Promise<string> {
  const id = await rig.create({ consumer_strategy: 'TRIM_HORIZON', ...more });
  await stopTasks(rig.services, rig.stream, [id]);
  return id;
}

const warnings = async (rig: DumpRig) =>
  (await rig.rows()).filter(({ kind }) => kind === 'warning').map(({ cause }) => cause);

test(
  'three quarters of the retention: one row, not a minute earlier, not twice, not after a restart, also when stopped',
  withRig(
    async (rig) => {
      await rig.put(0, 'a', 'b');
      const arrived = rig.clock.now();
      const id = await createStopped(rig);
      await wait(rig, 60_000);
      assert.deepEqual(rig.engine.expiry, { seconds: RETENTION / 1000 - 60, tasksAtRisk: 0 });
      await wait(rig, SAFE - 120_000);
      assert.deepEqual(await warnings(rig), []);
      await wait(rig, 60_000);
      await rig.put(0, 'c');
      await wait(rig, HOUR);
      await rig.crash();
      await wait(rig, 60_000);
      const [row, ...others] = await rig.rows();
      assert.deepEqual(others, []);
      const { state, given_up, partition, first_sequence, next_sequence, error_code, cause, attempt } = row!;
      assert.deepEqual([state, given_up, partition, first_sequence, next_sequence], [1, 0, 0, 0, 2]);
      assert.deepEqual([error_code, attempt], ['DIS.4224', 0]);
      assert.equal(cause, 'undelivered records from 0 on expire in 6.0 hours');
      assert.deepEqual([row!.start_time, row!.end_time], [arrived, arrived + SAFE]);
      assert.deepEqual(rig.engine.expiry, { seconds: 5 * 3600 - 60, tasksAtRisk: 1 });
      const tasks = await rig.catalog.db.selectFrom('dump_tasks').select('log_rows').execute();
      assert.deepEqual(tasks, [{ log_rows: 1 }]);

      await startTasks(rig.services, rig.stream, [id]);
      await wait(rig, 60_000);
      await wait(rig, 60_000);
      assert.deepEqual(await rig.files(), ['a\nb\nc\n']);
      assert.deepEqual(rig.engine.expiry, { seconds: Infinity, tasksAtRisk: 0 });
    },
    { partitions: 2 },
  ),
);

test(
  'a partition that has been out of danger is warned of again, one that has only moved on is not',
  withRig(
    async (rig) => {
      const id = await createStopped(rig);
      await rig.put(0, 'x'.repeat(100));
      await rig.put(0, 'y'.repeat(100));
      await wait(rig, SAFE);
      // The first of two files is delivered, the second fails.
      rig.store.faults.push('none', ...Array<'before'>(1000).fill('before'));
      await startTasks(rig.services, rig.stream, [id]);
      await wait(rig, 120_000);
      assert.equal((await rig.positions())[0]!.position, 1);
      await wait(rig, HOUR);
      assert.equal((await warnings(rig)).length, 1);
      rig.store.faults.length = 0;
      // What was told is known after a restart that finds nothing in danger any more.
      await rig.crash();
      await rig.crash();
      await wait(rig, 120_000);
      assert.equal((await rig.positions())[0]!.position, 2);
      assert.equal((await rig.positions())[0]!.warned_position, null);

      await stopTasks(rig.services, rig.stream, [id]);
      await rig.put(0, 'z');
      await wait(rig, SAFE);
      assert.deepEqual(await warnings(rig), [
        'undelivered records from 0 on expire in 6.0 hours',
        'undelivered records from 2 on expire in 6.0 hours',
      ]);
    },
    { config: { maxFileBytes: 100 } },
  ),
);

test(
  'what has expired already is said to have',
  withRig(async (rig) => {
    await rig.put(0, 'a', 'b');
    await createStopped(rig);
    const life = rig.engine;
    await life.close(0);
    rig.clock.advance(RETENTION + 1);
    await rig.log.trim({ stream: rig.stream.number, partition: 0 }, 1);
    await rig.crash();
    assert.deepEqual(await warnings(rig), ['undelivered records from 0 on have expired']);
    assert.equal(rig.engine.expiry.seconds, 0);
  }),
);

test(
  'trouble with the catalog costs no row and makes none twice',
  withRig(async (rig) => {
    await rig.put(0, 'a');
    await createStopped(rig);
    rig.catalogFaults.push('refuse');
    await wait(rig, SAFE);
    assert.deepEqual(await warnings(rig), []);
    assert.deepEqual(rig.complaints, ['undelivered records could not be looked at']);
    rig.catalogFaults.push('lose answer');
    await wait(rig, 60_000);
    await wait(rig, 60_000);
    await wait(rig, 60_000);
    assert.equal((await warnings(rig)).length, 1);
  }),
);

test(
  'a task that holds its records is not at risk; its row warns of the disk',
  withRig(async (rig) => {
    await rig.put(0, 'a');
    await createStopped(rig, { hold_retention: true });
    await wait(rig, SAFE);
    assert.deepEqual(await warnings(rig), [
      'undelivered records from 0 on outlive the retention of the stream in 6.0 hours and are held',
    ]);
    assert.deepEqual(rig.engine.expiry, { seconds: Infinity, tasksAtRisk: 0 });
  }),
);

test(
  'the nearest expiry of all tasks counts; that of a deleted task does not',
  withRig(async (rig) => {
    await rig.put(0, 'a');
    await createStopped(rig, { task_name: 'behind' });
    await wait(rig, HOUR);
    await rig.put(0, 'b');
    await createStopped(rig, { task_name: 'new', consumer_strategy: 'LATEST' });
    await rig.put(0, 'c');
    await wait(rig, 60_000);
    assert.equal(rig.engine.expiry.seconds, 23 * 3600 - 60);
    await deleteTask(rig.services, rig.stream, 'behind');
    await wait(rig, 60_000);
    assert.equal(rig.engine.expiry.seconds, 24 * 3600 - 120);
  }),
);

test(
  'settings may change: what is held from now on is not at risk any more',
  withRig(async (rig) => {
    await rig.put(0, 'a');
    await createStopped(rig);
    await wait(rig, SAFE);
    assert.equal(rig.engine.expiry.tasksAtRisk, 1);
    const held = { task_name: 'archive', obs_bucket_path: 'bucket', deliver_time_interval: 60, hold_retention: true };
    await updateTask(rig.services, rig.stream, held);
    await wait(rig, 60_000);
    assert.equal(rig.engine.expiry.tasksAtRisk, 0);
  }),
);

test(
  'a place that cannot be read silences no other, and its task can still be shown',
  withRig(
    async (rig) => {
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      await createStopped(rig);
      const arrivalTime = rig.log.arrivalTime.bind(rig.log);
      rig.log.arrivalTime = async (ref, sequence) => {
        if (ref.partition === 0) throw Object.assign(new Error('EIO: read'), { code: 'EIO' });
        return arrivalTime(ref, sequence);
      };
      await rig.crash();
      await wait(rig, SAFE);
      const rows = (await rig.rows()).filter(({ kind }) => kind === 'warning');
      assert.deepEqual(
        rows.map(({ partition }) => partition),
        [1],
      );
      assert.ok(rig.complaints.includes('arrival of a record not read'));
      const { partitions } = await showTask(rig.services, rig.stream, 'archive');
      assert.deepEqual([partitions[0]!.undelivered, partitions[0]!.oldestAt], [1, undefined]);
      assert.notEqual(partitions[1]!.oldestAt, undefined);
    },
    { partitions: 2 },
  ),
);
