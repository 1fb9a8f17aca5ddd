/** Tasks with an end: what is due at once, where it ends, and what they become then. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { insertPositions } from '../../catalog/dump-positions.ts';
import { insertTask, insertTaskVersion, selectTask } from '../../catalog/dump-tasks.ts';
import { listTasks } from './list-tasks.ts';
import { makeTask } from './load-tasks.ts';
import { newPosition } from './new-position.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { stringifySettings } from '../settings/settings.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';
import { streamForm } from '../settings/stream-form.ts';

const ID = 'B'.repeat(19);

/** A task that delivers [from, to) of the partitions from 0 on, with an interval of 900 s. */
async function deliverRanges(rig: DumpRig, ...ranges: readonly (readonly [from: number, to: number])[]): Promise<void> {
  const { catalog, engine, stream, services } = rig;
  const settings = parseSettings(
    { task_name: 'x', obs_bucket_path: 'bucket', file_prefix: 'again', deliver_time_interval: 900 },
    services,
    streamForm(stream),
  );
  await engine.change(async () => {
    const now = rig.clock.now();
    const row = {
      task_id: ID,
      project_id: stream.projectId,
      stream: stream.number,
      stream_id: stream.id,
      stream_name: stream.name,
      name: 'archive.again',
      state: 'STARTING',
      version: 1,
      created_at: now,
      deleted_at: null,
      log_rows: 0,
      kind: 'backfill',
      parent_id: 'A'.repeat(19),
      draining: 0,
      schema_revision: 0,
    };
    const positions = ranges.map(([position, end], partition) =>
      newPosition({ taskId: ID, partition, position, end }, now),
    );
    await insertTask(catalog.db, row);
    await insertTaskVersion(catalog.db, {
      task_id: ID,
      version: 1,
      settings: stringifySettings(settings),
      created_at: now,
    });
    await insertPositions(catalog.db, positions);
    engine.added(makeTask((await selectTask(catalog.db, ID))!, settings, positions));
  });
  await rig.settle();
}

test(
  'what lies before the end is delivered at once, cut by size alone, and then the task is FINISHED',
  withRig(
    async (rig) => {
      await rig.put(0, 'a', 'b');
      await rig.put(0, 'c'.repeat(50), 'd');
      await rig.put(0, 'e', 'beyond');
      await rig.put(1, 'f', 'beyond');
      await deliverRanges(rig, [1, 5], [0, 1]);
      assert.deepEqual((await rig.files()).toSorted(), [`b\n${'c'.repeat(50)}\nd\n`, 'e\n', 'f\n']);
      assert.equal(await rig.taskState(ID), 'FINISHED');
      await rig.put(0, 'later');
      await rig.advance(1_000_000);
      await startTasks(rig.services, rig.stream, [ID]);
      await stopTasks(rig.services, rig.stream, [ID]);
      await rig.crash();
      await rig.advance(1_000_000);
      assert.equal((await rig.files()).length, 3);
      assert.equal(await rig.taskState(ID), 'FINISHED');
    },
    { partitions: 2, config: { maxFileBytes: 40 } },
  ),
);

test(
  'a size that is reached beyond the end cuts at the end',
  withRig(
    async (rig) => {
      await rig.put(0, 'a', 'b', 'x'.repeat(100), 'y');
      await deliverRanges(rig, [0, 2]);
      assert.deepEqual(await rig.files(), ['a\nb\n']);
      assert.equal((await rig.positions())[0]!.position, 2);
    },
    { config: { maxFileBytes: 40 } },
  ),
);

test(
  'nothing to deliver, or nothing of it kept: FINISHED, and what was lost is in the log',
  withRig(
    async (rig) => {
      await rig.put(0, 'a', 'b', 'c', 'd');
      await rig.log.trim({ stream: rig.stream.number, partition: 0 }, 3);
      await deliverRanges(rig, [0, 2], [0, 0]);
      assert.equal(await rig.taskState(ID), 'FINISHED');
      assert.deepEqual(
        (await rig.rows()).map(({ state, given_up, first_sequence, next_sequence }) => [
          state,
          given_up,
          first_sequence,
          next_sequence,
        ]),
        [[1, 1, 0, 2]],
      );
    },
    { partitions: 2 },
  ),
);

test(
  'a file that fails keeps it ABNORMAL; stopped and started it goes on; stopped while the last file is written it is FINISHED',
  withRig(
    async (rig) => {
      await rig.put(0, 'a');
      await rig.put(1, 'b');
      rig.store.always = 'before';
      await deliverRanges(rig, [0, 1], [0, 1]);
      assert.equal(await rig.taskState(ID), 'ABNORMAL');
      await stopTasks(rig.services, rig.stream, [ID]);
      await rig.crash();
      assert.equal(await rig.taskState(ID), 'PAUSED');
      rig.store.always = undefined;
      await rig.advance(100_000);
      rig.store.faults.push('none', 'hold');
      await startTasks(rig.services, rig.stream, [ID]);
      await rig.settle();
      await stopTasks(rig.services, rig.stream, [ID]);
      assert.equal(await rig.taskState(ID), 'PAUSED');
      rig.store.release();
      await rig.settle();
      assert.equal(await rig.taskState(ID), 'FINISHED');
      assert.deepEqual((await rig.files()).toSorted(), ['a\n', 'b\n']);
    },
    { partitions: 2 },
  ),
);

test(
  'tasks with an end take no new partitions, are not listed and do not count',
  withRig(
    async (rig) => {
      await rig.put(0, 'a');
      await deliverRanges(rig, [0, 1]);
      await rig.scale(3);
      await rig.put(2, 'new');
      await rig.advance(60_000);
      assert.equal((await rig.positions()).length, 1);
      assert.deepEqual(await listTasks(rig.services, rig.stream, 10, undefined), { total: 0, tasks: [] });
      await rig.create({ task_name: 'live' });
      assert.equal((await listTasks(rig.services, rig.stream, 10, undefined)).total, 1);
      await assert.rejects(rig.create({ task_name: 'second' }), { kind: 'TooManyTasks' });
    },
    { limits: { tasks_per_stream: 1 } },
  ),
);
