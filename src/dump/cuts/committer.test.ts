/** How outcomes share transactions. What the transactions write is in engine.test.ts and exactly-once.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { withRig, type DumpRig } from '../../../test/support/dump-rig.ts';
import { Lane } from '../../platform/lane.ts';
import { Committer } from './committer.ts';
import type { WrittenCut, WrittenFile } from './cut.ts';
import { loadTasks } from '../tasks/load-tasks.ts';
import { TaskTable, type Pair, type Plan } from '../tasks/task-table.ts';

/** Three cuts that are planned, and a committer of which nobody else knows. */
async function planned(rig: DumpRig) {
  await rig.create();
  for (const partition of [0, 1, 2]) await rig.put(partition, 'a');
  rig.store.always = 'hang';
  await rig.advance(60_000);
  const closing = rig.engine.close(0);
  await setImmediate();
  rig.clock.advance(1);
  await closing;

  const tasks = new TaskTable();
  const [task] = (await loadTasks(rig.catalog)).tasks;
  tasks.add(task!);
  const plans = task!.pairs.map(({ plan }) => plan!);
  const batches: (readonly Pair[])[] = [];
  const orphans: Plan[] = [];
  const committer = new Committer({
    parts: rig.engine.parts,
    tasks,
    lane: new Lane(),
    onEnded: (pairs) => batches.push(pairs),
    onOrphan: (plan) => orphans.push(plan),
  });
  return { committer, tasks, task: task!, plans, batches, orphans };
}

function cutOf(plan: Plan, files: number): WrittenCut {
  const file = (index: number): WrittenFile => ({
    fileName: `${plan.baseName}-${index}`,
    key: `${index}/${plan.baseName}-${index}`,
    path: String(index),
    period: undefined,
    records: 1,
    firstRecord: 0,
    lastRecord: 0,
    bytes: 1,
    checksum: 'sha256:',
    etag: '',
  });
  const all = Array.from({ length: files }, (_, index) => file(index));
  return { next: plan.next, files: all, deadLetters: undefined, columns: undefined };
}

test(
  'a transaction takes no more once it has 5000 files, and close waits for those that follow',
  withRig(
    async (rig) => {
      const { committer, plans, batches } = await planned(rig);
      const sizes = [4999, 2, 1];
      plans.forEach((plan, index) => {
        committer.add({ kind: 'delivered', plan, startedAt: 0, cut: cutOf(plan, sizes[index]!) });
      });
      await committer.close();
      assert.deepEqual(
        batches.map((pairs) => pairs.map(({ ref }) => ref.partition)),
        [[0, 1], [2]],
      );
      const rows = await rig.rows();
      assert.equal(rows.length, 5002);
      assert.ok(rows.every(({ state }) => state === 0));
      assert.equal(committer.totals.files, 5002);
      const [{ log_rows }] = (await rig.catalog.db.selectFrom('dump_tasks').select('log_rows').execute()) as [
        { log_rows: number },
      ];
      assert.equal(log_rows, 5002);
    },
    { partitions: 3, config: { uploads: 3 } },
  ),
);

test(
  'what comes while a transaction runs is written by the next one, not taken for written',
  withRig(
    async (rig) => {
      const { committer, plans, batches } = await planned(rig);
      const add = (plan: Plan) => committer.add({ kind: 'delivered', plan, startedAt: 0, cut: cutOf(plan, 1) });
      add(plans[0]!);
      // The transaction has begun by then, and is not through: it is in another thread.
      await setImmediate();
      add(plans[1]!);
      add(plans[2]!);
      await committer.close();
      assert.deepEqual(batches.flat().length, 3);
      assert.deepEqual(
        (await rig.rows()).map(({ state }) => state),
        [0, 0, 0],
      );
      assert.deepEqual(
        (await rig.positions()).map(({ position }) => position),
        [1, 1, 1],
      );
    },
    { partitions: 3, config: { uploads: 3 } },
  ),
);

test(
  'the cut of a task that is gone is an orphan',
  withRig(
    async (rig) => {
      const { committer, tasks, task, plans, orphans } = await planned(rig);
      tasks.remove(task);
      committer.add({ kind: 'delivered', plan: plans[0]!, startedAt: 0, cut: cutOf(plans[0]!, 2) });
      await committer.close();
      assert.deepEqual(orphans, [plans[0]]);
      assert.equal((await rig.rows())[0]!.state, 2);
    },
    { partitions: 3, config: { uploads: 3 } },
  ),
);
