/** hold_retention: what a task has not delivered stays, whatever the retention of its stream. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { trimExpired } from '../../streams/retention.ts';
import { validBounds } from '../../streams/valid-bounds.ts';
import { deleteTask } from './delete-task.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';
import { updateTask } from './update-task.ts';

const RETENTION = 24 * 3_600_000;
const HELD = { hold_retention: true, consumer_strategy: 'TRIM_HORIZON' };

const trim = ({ registry, log, clock, engine }: DumpRig) =>
  trimExpired({ registry, recordLog: log, clock, holdsOf: (stream) => engine.holdsOf(stream) });
const kept = async (rig: DumpRig, partition = 0) =>
  (await rig.log.bounds({ stream: rig.stream.number, partition })).first;

test(
  'expired records are kept up to the slowest task that holds them, are delivered, and then go; readers do not see them',
  withRig(
    async (rig) => {
      await rig.put(0, 'a', 'b');
      await rig.put(1, 'x');
      const slow = await rig.create({ task_name: 'slow', ...HELD });
      const fast = await rig.create({ task_name: 'fast', ...HELD });
      await rig.create({ task_name: 'careless', consumer_strategy: 'LATEST' });
      await stopTasks(rig.services, rig.stream, [slow, fast]);
      await rig.put(0, 'c');
      rig.clock.advance(RETENTION + 1);
      await rig.settle();
      await rig.put(0, 'fresh');
      await trim(rig);
      assert.equal(await kept(rig), 0);
      const [{ ref }] = rig.stream.partitions as [(typeof rig.stream.partitions)[0]];
      assert.deepEqual(await validBounds(rig.log, rig.clock, rig.stream, ref), { first: 3, next: 4 });

      await startTasks(rig.services, rig.stream, [fast]);
      await rig.advance(60_000);
      await trim(rig);
      assert.equal(await kept(rig), 0);
      // Over a restart as well, before anything has been delivered.
      await rig.crash();
      await trim(rig);
      assert.equal(await kept(rig), 0);
      await startTasks(rig.services, rig.stream, [slow]);
      await rig.advance(60_000);
      await trim(rig);
      assert.deepEqual([await kept(rig), await kept(rig, 1)], [3, 1]);
      const files = await rig.files();
      assert.equal(files.filter((file) => file === 'a\nb\nc\nfresh\n').length, 2);
      assert.equal((await rig.rows()).filter(({ given_up }) => given_up === 1).length, 0);
    },
    { partitions: 2 },
  ),
);

test(
  'without it, after it was switched off, and when the task is deleted, retention is what the stream says',
  withRig(async (rig) => {
    await rig.put(0, 'a');
    const id = await rig.create(HELD);
    await stopTasks(rig.services, rig.stream, [id]);
    rig.clock.advance(RETENTION + 1);
    await rig.settle();
    await rig.put(0, 'b');
    await trim(rig);
    assert.equal(await kept(rig), 0);
    const off = { task_name: 'archive', obs_bucket_path: 'bucket', deliver_time_interval: 60 };
    await updateTask(rig.services, rig.stream, off);
    await trim(rig);
    assert.equal(await kept(rig), 1);

    await updateTask(rig.services, rig.stream, { ...off, hold_retention: true });
    rig.clock.advance(RETENTION + 1);
    await rig.settle();
    await trim(rig);
    assert.equal(await kept(rig), 1);
    await deleteTask(rig.services, rig.stream, 'archive');
    await trim(rig);
    assert.equal(await kept(rig), 2);
  }),
);
