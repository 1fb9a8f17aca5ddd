/**
 * How far the partitions of a task have got, wherever they are worked on: of those that this node works on memory tells,
 * of the others the catalog. What a task's state is made of.
 */
import type { Kysely } from 'kysely';
import { selectOpenPlans } from '../../catalog/dump-log.ts';
import { selectPositions } from '../../catalog/dump-positions.ts';
import { setTaskStatus, type LockedTask } from '../../catalog/dump-tasks.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { toState } from './load-tasks.ts';
import { statusAfterWork, type PartitionWork, type TaskStatus } from './task-state.ts';
import { workOf, type DumpTask, type Pair } from './task-table.ts';

export interface StatusRules {
  /** How far a pair will have got; it is asked of those that memory is right about. */
  readonly workAfter?: (pair: Pair) => PartitionWork;
  readonly decide?: (status: TaskStatus, work: readonly PartitionWork[], intervalMs: number) => TaskStatus;
}

/** The status of each of `tasks`. Runs in a transaction that has locked them. One that is deleted is left out. */
export async function statusesOf(
  transaction: Kysely<Database>,
  tasks: Iterable<DumpTask>,
  locked: ReadonlyMap<string, LockedTask>,
  { workAfter = workOf, decide = statusAfterWork }: StatusRules = {},
): Promise<Map<DumpTask, TaskStatus>> {
  const live = [...tasks].filter(({ id }) => locked.has(id));
  const elsewhere = await workElsewhere(transaction, live);
  return new Map(
    live.map((task) => {
      const { state, draining } = locked.get(task.id)!;
      const own = task.pairs.filter(({ uncertain }) => !uncertain).map(workAfter);
      const work = [...own, ...(elsewhere.get(task.id) ?? [])];
      const status = { state: toState(state), draining: draining === 1 };
      return [task, decide(status, work, task.settings.deliverSeconds * 1000)];
    }),
  );
}

/** Writes those that are others than before. Nobody waits for it: other nodes tell them, and do nothing else because of them. */
export async function writeStatuses(
  transaction: Kysely<Database>,
  cluster: Pick<Cluster, 'announceIn'>,
  statuses: ReadonlyMap<DumpTask, TaskStatus>,
  locked: ReadonlyMap<string, LockedTask>,
): Promise<void> {
  const others = [...statuses].filter(([{ id }, { state, draining }]) => {
    const before = locked.get(id)!;
    return before.state !== state || (before.draining === 1) !== draining;
  });
  for (const [{ id }, status] of others) await setTaskStatus(transaction, id, status);
  for (const [{ id }] of others) await cluster.announceIn(transaction, { kind: 'task', key: id });
}

/** By task; what memory is right about is left out. */
async function workElsewhere(db: Kysely<Database>, tasks: readonly DumpTask[]): Promise<Map<string, PartitionWork[]>> {
  const asked = tasks.filter(({ pairs }) => pairs.some(({ uncertain }) => uncertain));
  const work = new Map<string, PartitionWork[]>(asked.map(({ id }) => [id, []]));
  if (asked.length === 0) return work;
  const ids = asked.map(({ id }) => id);
  const key = (taskId: string, partition: number) => `${taskId}/${partition}`;
  const known = new Set(
    asked.flatMap(({ id, pairs }) =>
      pairs.filter(({ uncertain }) => !uncertain).map(({ ref }) => key(id, ref.partition)),
    ),
  );
  const plans = new Map(
    (await selectOpenPlans(db, ids)).map(({ task_id, partition, attempt }) => [key(task_id, partition), attempt]),
  );
  for (const row of await selectPositions(db, ids)) {
    if (known.has(key(row.task_id, row.partition))) continue;
    const attempt = plans.get(key(row.task_id, row.partition));
    work.get(row.task_id)!.push({
      position: row.position,
      end: row.end_position,
      lastTransferAt: row.last_transfer_at,
      allDead: row.all_dead === 1,
      planned: attempt !== undefined,
      failing: attempt !== undefined && attempt > 1,
    });
  }
  return work;
}
