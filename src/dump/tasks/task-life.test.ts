/** Stop and start, delete, update and shutdown, while files are on their way. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig } from '../../../test/support/dump-rig.ts';
import { deleteTask } from './delete-task.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';
import { updateTask } from './update-task.ts';

test(
  'stop: an upload that runs is finished, nothing new begins; start goes on with what is planned',
  withRig(
    async (rig) => {
      const id = await rig.create();
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      rig.store.faults.push('hang');
      await rig.advance(60_000);
      await stopTasks(rig.services, rig.stream, [id]);
      assert.equal(await rig.taskState(id), 'PAUSED');
      await rig.put(0, 'c');
      await rig.advance(300_000);
      assert.deepEqual(
        (await rig.rows()).map(({ state }) => state),
        [2, 2],
      );
      await rig.crash();
      assert.equal(await rig.taskState(id), 'PAUSED');
      assert.equal(rig.store.puts, 1);
      await startTasks(rig.services, rig.stream, [id]);
      await rig.settle();
      await rig.advance(1000);
      assert.equal(await rig.taskState(id), 'RUNNING');
      assert.deepEqual((await rig.files()).sort(), ['a\n', 'b\n', 'c\n']);
    },
    { partitions: 2, config: { uploads: 1 } },
  ),
);

test(
  'stop: what runs is committed though the task is PAUSED, what is queued does not begin',
  withRig(
    async (rig) => {
      const id = await rig.create();
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      rig.store.faults.push('hold');
      await rig.advance(60_000);
      await stopTasks(rig.services, rig.stream, [id]);
      rig.store.release();
      await rig.settle();
      await rig.advance(120_000);
      assert.deepEqual(
        (await rig.rows()).map(({ state }) => state),
        [0, 2],
      );
      assert.equal(await rig.taskState(id), 'PAUSED');
    },
    { partitions: 2, config: { uploads: 1 } },
  ),
);

test(
  'start and stop are for tasks of the stream only; an unknown id changes nothing',
  withRig(async (rig) => {
    const id = await rig.create();
    const other = await rig.addStream('other', 1);
    const unknown = { kind: 'TaskNotFound' };
    await assert.rejects(stopTasks(rig.services, rig.stream, [id, 'A'.repeat(19)]), unknown);
    await assert.rejects(stopTasks(rig.services, other, [id]), unknown);
    assert.equal(await rig.taskState(id), 'RUNNING');
    await stopTasks(rig.services, rig.stream, [id, id]);
    assert.equal(await rig.taskState(id), 'PAUSED');
  }),
);

test(
  'delete: a hanging upload is aborted, planned files end as failed, delivered ones and their rows stay',
  withRig(
    async (rig) => {
      const id = await rig.create();
      await rig.put(0, 'a');
      await rig.advance(60_000);
      await rig.put(0, 'b');
      await rig.put(1, 'c');
      rig.store.faults.push('hang');
      await rig.advance(60_000);
      await deleteTask(rig.services, rig.stream, 'archive');
      await rig.settle();
      assert.equal(rig.store.hanging, 0);
      const rows = await rig.rows();
      assert.deepEqual(
        rows.map(({ state, cause }) => [state, cause]),
        [
          [0, null],
          [1, 'task deleted'],
          [1, 'task deleted'],
        ],
      );
      assert.deepEqual(await rig.keys('bucket'), [rows[0]!.object_key]);
      assert.equal(await rig.taskState(id), 'DELETE');
      await assert.rejects(deleteTask(rig.services, rig.stream, 'archive'), { kind: 'TaskNotFound' });
      await rig.create();
    },
    { partitions: 2, config: { uploads: 1 } },
  ),
);

test(
  'the end of a stream ends its tasks, also when a crash kept the engine from hearing of it',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('hang');
    await rig.advance(60_000);
    await rig.engine.endTasksOfStream(rig.stream.number);
    await rig.settle();
    assert.equal(await rig.taskState(id), 'DELETE');

    const second = await rig.create({ task_name: 'second' });
    await rig.put(0, 'b');
    rig.store.faults.push('hang');
    await rig.advance(60_000);
    rig.registry.remove(rig.stream);
    await rig.crash();
    assert.equal(await rig.taskState(second), 'DELETE');
    assert.ok((await rig.rows()).every(({ state, cause }) => state === 1 && cause === 'task deleted'));
  }),
);

test(
  'update: what is planned is finished under the old settings, the next file has the new ones',
  withRig(async (rig) => {
    await rig.create({ record_delimiter: ';' });
    await rig.put(0, 'a');
    rig.store.faults.push('before');
    await rig.advance(60_000);
    await updateTask(rig.services, rig.stream, {
      task_name: 'archive',
      obs_bucket_path: 'bucket',
      record_delimiter: '|',
      deliver_time_interval: 60,
      file_prefix: 'new',
    });
    await rig.advance(30_000);
    await rig.put(0, 'b');
    await rig.advance(60_000);
    const delivered = (await rig.rows()).filter(({ state }) => state === 0);
    assert.deepEqual(
      delivered.map(({ task_version, object_key }) => [task_version, object_key.startsWith('new/')]),
      [
        [1, false],
        [2, true],
      ],
    );
    assert.deepEqual(await rig.files(), ['a;', 'b|']);
  }),
);

test(
  'close waits for a running upload and its commit',
  withRig(async (rig) => {
    await rig.create();
    await rig.put(0, 'a');
    rig.clock.advance(60_000);
    while (rig.engine.activity.uploading === 0) await new Promise(setImmediate);
    await rig.engine.close(10_000);
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);

test(
  'close aborts an upload that does not end in time; the next start does it again',
  withRig(async (rig) => {
    await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('hang');
    await rig.advance(60_000);
    const closing = rig.engine.close(5000);
    await new Promise(setImmediate);
    rig.clock.advance(5000);
    await closing;
    assert.deepEqual(
      (await rig.rows()).map(({ state, attempt }) => [state, attempt]),
      [[2, 1]],
    );
    await rig.crash();
    await rig.settle();
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);

test(
  'a task that is deleted after a commit whose answer was lost keeps the file',
  withRig(async (rig) => {
    const id = await rig.create();
    await rig.put(0, 'a');
    rig.store.faults.push('hold');
    await rig.advance(60_000);
    rig.catalogFaults.push('lose answer');
    rig.store.release();
    await rig.settle();
    await deleteTask(rig.services, rig.stream, 'archive');
    await rig.advance(5000);
    const [row] = await rig.rows();
    assert.deepEqual([row!.task_id, row!.state], [id, 0]);
    assert.deepEqual(await rig.keys('bucket'), [row!.object_key]);
  }),
);
