/** stop with finish_planned: a task that pauses at a point, with nothing half done. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';

const drain = (rig: DumpRig, id: string) => stopTasks(rig.services, rig.stream, [id], 'finish_planned');
const isDraining = async (rig: DumpRig) => {
  const [task] = await rig.catalog.db.selectFrom('dump_tasks').select('draining').execute();
  return task!.draining === 1;
};
const states = async (rig: DumpRig) => (await rig.rows()).map(({ state }) => state);

test(
  'with nothing planned the task is PAUSED at once',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    await drain(rig, id);
    assert.equal(await rig.taskState(id), 'PAUSED');
    assert.equal(await isDraining(rig), false);
    await rig.advance(120_000);
    assert.deepEqual(await rig.rows(), []);
  }),
);

test(
  'what runs, what is queued and what failed is delivered, over a restart as well; what comes later is not planned',
  withRig(
    async (rig) => {
      const id = await rig.create();
      for (const partition of [0, 1, 2, 3]) await rig.put(partition, `${partition}`);
      rig.store.faults.push('before', 'hang', 'hang');
      await rig.advance(60_000);
      assert.deepEqual(await states(rig), [2, 2, 2, 2, 1]);
      assert.equal(rig.engine.activity.queued, 1);
      await drain(rig, id);
      assert.equal(await rig.taskState(id), 'ABNORMAL');
      for (const partition of [0, 1, 2, 3]) await rig.put(partition, 'later');
      rig.store.always = 'before';
      await rig.crash();
      assert.equal(await isDraining(rig), true);
      await rig.advance(100_000);
      assert.equal(await rig.taskState(id), 'ABNORMAL');
      rig.store.always = undefined;
      await rig.advance(30_000);
      assert.equal(await rig.taskState(id), 'PAUSED');
      assert.equal(await isDraining(rig), false);
      assert.deepEqual((await rig.files()).toSorted(), ['0\n', '1\n', '2\n', '3\n']);
      await rig.advance(120_000);
      assert.equal((await rig.files()).length, 4);
      await startTasks(rig.services, rig.stream, [id]);
      await rig.settle();
      assert.equal((await rig.files()).length, 8);
    },
    { partitions: 4 },
  ),
);

test(
  'start takes it back, stop makes it a stop at once',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('before');
    await rig.advance(60_000);
    await drain(rig, id);
    await startTasks(rig.services, rig.stream, [id]);
    assert.equal(await isDraining(rig), false);
    assert.equal(await rig.taskState(id), 'ABNORMAL');

    await drain(rig, id);
    await stopTasks(rig.services, rig.stream, [id]);
    assert.deepEqual([await rig.taskState(id), await isDraining(rig)], ['PAUSED', false]);
    await rig.advance(120_000);
    assert.deepEqual(await states(rig), [2, 1]);
    // Already stopped: nothing is begun to be finished.
    await drain(rig, id);
    assert.deepEqual([await rig.taskState(id), await isDraining(rig)], ['PAUSED', false]);
  }),
);

test(
  'a plan or a commit whose answer was lost does not keep the task from pausing',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('hold');
    // The plan is written, but nobody knows.
    rig.catalogFaults.push('lose answer');
    rig.clock.advance(60_000);
    await rig.settle();
    await drain(rig, id);
    assert.equal(await isDraining(rig), true);
    await rig.advance(1000);
    rig.catalogFaults.push('lose answer');
    rig.store.release();
    await rig.settle();
    await rig.advance(3000);
    assert.deepEqual([await rig.taskState(id), await isDraining(rig)], ['PAUSED', false]);
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);

test(
  'a task that has just been started finishes what it had planned before',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('before');
    await rig.advance(60_000);
    await stopTasks(rig.services, rig.stream, [id]);
    await rig.put(0, 'b');
    await rig.advance(60_000);
    await startTasks(rig.services, rig.stream, [id]);
    await drain(rig, id);
    await rig.advance(60_000);
    assert.equal(await rig.taskState(id), 'PAUSED');
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);
