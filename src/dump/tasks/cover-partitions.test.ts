/** Dump tasks of streams that are scaled: every record of every partition is in exactly one file all the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { auditDump } from '../../../test/support/dump-audit.ts';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { createTask } from './create-task.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';

const TASK = { task_name: 'archive', obs_bucket_path: 'bucket', deliver_time_interval: 60 };
const covered = async (rig: DumpRig) => (await rig.positions()).map(({ partition, position }) => [partition, position]);

test(
  'a task takes new partitions from their first record on, whatever its strategy, and delivers closed ones to their end',
  withRig(
    async (rig) => {
      await rig.put(0, 'early');
      await rig.create({ consumer_strategy: 'LATEST' });
      await rig.put(1, 'b');
      await rig.scale(4);
      await rig.put(3, 'c', 'd');
      await rig.scale(1);
      await rig.put(0, 'e');
      await rig.advance(61_000);
      assert.deepEqual(await rig.files(), ['e\n', 'b\n', 'c\nd\n']);
      assert.deepEqual(await covered(rig), [
        [0, 2],
        [1, 1],
        [2, 0],
        [3, 2],
      ]);
      // Opened again: it goes on where it was.
      await rig.scale(4);
      await rig.put(3, 'f');
      await rig.advance(61_000);
      assert.deepEqual((await rig.files()).slice(3), ['f\n']);
    },
    { partitions: 2 },
  ),
);

test(
  'a crash before the task had the new partition: the next start gives it to it',
  withRig(async (rig) => {
    await rig.create();
    await rig.scale(2);
    await rig.put(1, 'a');
    await rig.crash();
    assert.deepEqual(await covered(rig), [
      [0, 0],
      [1, 0],
    ]);
    await rig.advance(61_000);
    assert.deepEqual(await rig.files(), ['a\n']);
  }),
);

test(
  'trouble with the catalog is made good by the next look',
  withRig(async (rig) => {
    await rig.create();
    for (const fault of ['refuse', 'lose answer'] as const) {
      rig.catalogFaults.push(fault);
      await rig.scale(rig.stream.partitions.length + 1);
      await rig.put(rig.stream.partitions.length - 1, fault);
      await rig.advance(61_000);
    }
    assert.deepEqual(await rig.files(), ['refuse\n', 'lose answer\n']);
    assert.deepEqual(rig.complaints, ['dump planning failed', 'dump planning failed']);
    await auditDump(rig, { put: [[], ['refuse'], ['lose answer']], complete: true });
  }),
);

test(
  'a stopped task takes new partitions as well, and a second task all that there are',
  withRig(async (rig) => {
    const id = await rig.create();
    await stopTasks(rig.services, rig.stream, [id]);
    await rig.scale(2);
    await rig.put(1, 'a');
    await rig.advance(5000);
    await rig.create({ task_name: 'second', consumer_strategy: 'LATEST' });
    await startTasks(rig.services, rig.stream, [id]);
    await rig.put(1, 'b');
    await rig.advance(61_000);
    assert.deepEqual((await rig.files()).toSorted(), ['a\nb\n', 'b\n']);
  }),
);

test(
  'a task that is made while its stream is scaled begins at the end of what is there by then',
  withRig(async (rig) => {
    const before = rig.stream;
    await rig.scale(2);
    await rig.put(1, 'old');
    // The request found the stream before it was scaled.
    await createTask(rig.services, before, { ...TASK, consumer_strategy: 'LATEST' });
    await rig.put(1, 'new');
    await rig.advance(61_000);
    assert.deepEqual(await rig.files(), ['new\n']);
  }),
);
