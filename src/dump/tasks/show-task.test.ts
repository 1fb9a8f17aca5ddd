/** What a task says of its troubles and of what waits. The rest of the description is in tasks.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { showTask } from './show-task.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';

const DAY = 24 * 3_600_000;
const show = (rig: DumpRig) => showTask(rig.services, rig.stream, 'archive');
const CAUSE = 'OBS cannot be accessed. [bucket][503 Slow Down (before)]';

test(
  'a file that fails: code, cause, since when and when it is tried next, for its partition and for the task',
  withRig(
    async (rig) => {
      const id = await rig.create();
      await rig.put(1, 'a');
      rig.store.always = 'before';
      await rig.advance(60_000);
      const since = rig.clock.now();
      const first = await show(rig);
      assert.equal(first.partitions[0]!.trouble, undefined);
      const { nextTry, ...trouble } = first.partitions[1]!.trouble!;
      assert.deepEqual(trouble, { errorCode: 'DIS.4310', cause: CAUSE, since });
      assert.ok(nextTry! >= since + 1000 && nextTry! <= since + 2000, `${nextTry! - since} ms`);
      assert.deepEqual(first.trouble, first.partitions[1]!.trouble);

      // Not before that time, and then it says when the one after that is.
      await rig.advance(2000);
      const second = (await show(rig)).trouble!;
      assert.equal(second.since, since);
      assert.ok(second.nextTry! > nextTry!);

      // After a restart from the log; while a try runs there is no next one, nor when the task is stopped.
      rig.store.always = 'hang';
      await rig.crash();
      assert.deepEqual((await show(rig)).trouble, { errorCode: 'DIS.4310', cause: CAUSE, since, nextTry: undefined });
      await stopTasks(rig.services, rig.stream, [id]);
      await rig.crash();
      assert.deepEqual((await show(rig)).trouble, { errorCode: 'DIS.4310', cause: CAUSE, since, nextTry: undefined });

      rig.store.always = undefined;
      await startTasks(rig.services, rig.stream, [id]);
      await rig.settle();
      assert.equal((await show(rig)).trouble, undefined);
      assert.equal((await show(rig)).state, 'RUNNING');
    },
    { partitions: 2 },
  ),
);

test(
  'what waits: how many records, since when, and when they expire',
  withRig(
    async (rig) => {
      await rig.create({ consumer_strategy: 'TRIM_HORIZON' });
      const waits = async () => {
        const { undelivered, partitions } = await show(rig);
        const [partition] = partitions;
        return [undelivered, partition!.undelivered, partition!.oldestAt, partition!.expiresAt];
      };
      assert.deepEqual(await waits(), [0, 0, undefined, undefined]);
      const arrived = rig.clock.now();
      await rig.put(0, 'a', 'b');
      await rig.advance(1000);
      await rig.put(0, 'c');
      await rig.put(1, 'd');
      assert.deepEqual(await waits(), [4, 3, arrived, arrived + DAY]);
      await rig.advance(60_000);
      assert.deepEqual(await waits(), [0, 0, undefined, undefined]);

      // Not kept any more: they are still to be accounted for.
      rig.store.always = 'hang';
      await rig.put(0, 'e', 'f');
      await rig.advance(60_000);
      await rig.log.trim({ stream: rig.stream.number, partition: 0 }, 4);
      assert.deepEqual(await waits(), [2, 2, undefined, undefined]);
    },
    { partitions: 2 },
  ),
);

test(
  'what is held does not expire',
  withRig(async (rig) => {
    await rig.create({ consumer_strategy: 'TRIM_HORIZON', hold_retention: true });
    await rig.put(0, 'a');
    const [partition] = (await show(rig)).partitions;
    assert.deepEqual([partition!.oldestAt, partition!.expiresAt], [rig.clock.now(), undefined]);
  }),
);

test(
  'a partition of a draining task is PAUSED once its own file is through',
  withRig(
    async (rig) => {
      const id = await rig.create();
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      rig.store.faults.push('none', 'hang');
      await rig.advance(60_000);
      await stopTasks(rig.services, rig.stream, [id], 'finish_planned');
      const { state, draining, partitions } = await show(rig);
      assert.deepEqual([state, draining], ['RUNNING', true]);
      assert.deepEqual(partitions.map((partition) => partition.state).toSorted(), ['PAUSED', 'RUNNING']);
    },
    { partitions: 2 },
  ),
);
