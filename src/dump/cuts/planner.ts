/**
 * Writes plans: the cuts of a stream, made durable before a byte of their files is uploaded. All plans of a call are
 * rows of dump_log in state 2 after one transaction, or none is.
 */
import type { Kysely } from 'kysely';
import { insertPlans } from '../../catalog/dump-log.ts';
import { selectNameTimes, setNameTimes } from '../../catalog/dump-positions.ts';
import { addLogRows, type LockedTask } from '../../catalog/dump-tasks.ts';
import type { Database } from '../../catalog/schema.ts';
import type { DumpParts } from '../dump-config.ts';
import { taskLease } from '../tasks/lease-names.ts';
import { isActive, type TaskStatus } from '../tasks/task-state.ts';
import { isPlanned, type DumpTask, type Pair, type Plan } from '../tasks/task-table.ts';
import { taskTransaction, type Granted } from '../tasks/task-transaction.ts';
import { statusesOf, writeStatuses } from '../tasks/task-work.ts';
import { planName } from './plan-name.ts';
import { planRow } from './plan-row.ts';

export type PlannerParts = Pick<DumpParts, 'catalog' | 'cluster' | 'clock'>;

/** A pair whose records are to be cut at `to` (exclusive). */
export interface Due {
  readonly pair: Pair;
  readonly to: number;
}

/**
 * Plans a file for each of `due` that still can have one, and takes those of `tasks` to their next state that do not
 * stay as they are (see isTransient). Runs in the lane. Resolves to the new plans, which wait to be queued. When it
 * rejects, the pairs are left uncertain, as are those that are another node's by now.
 */
export async function writePlans(
  parts: PlannerParts,
  due: readonly Due[],
  tasks: readonly DumpTask[],
): Promise<Plan[]> {
  const { leases } = parts.cluster;
  // Those of deleted tasks stay: they are in state DELETE.
  const moving = tasks.filter((task) => isTransient(task) && leases.held(taskLease(task.id)) !== undefined);
  // A look at the stream is not in the lane: meanwhile the task may have been stopped or the pair planned.
  const cuts = due.filter(({ pair, to }) => canHavePlan(pair) && to > pair.position && leases.held(pair.lease));
  if (cuts.length === 0 && moving.length === 0) return [];

  const claim = {
    tasks: [...cuts.map(({ pair }) => pair.task.id), ...moving.map(({ id }) => id)],
    leases: [...cuts.map(({ pair }) => pair.lease), ...moving.map(({ id }) => taskLease(id))].flatMap(
      (name) => leases.held(name) ?? [],
    ),
  };
  let written: Written;
  try {
    written = await taskTransaction(parts, claim, (transaction, granted) =>
      write(transaction, granted, parts, cuts, moving),
    );
  } catch (error) {
    for (const { pair } of cuts) pair.uncertain = true;
    throw error;
  }
  for (const [task, status] of written.statuses) Object.assign(task, status);
  for (const pair of written.lost) pair.uncertain = true;
  for (const plan of written.plans) {
    plan.pair.plan = plan;
  }
  return [...written.plans];
}

/** Whether files may be planned for a task. */
export function takesPlans({ state, draining }: Pick<DumpTask, 'state' | 'draining'>): boolean {
  return isActive(state) && !draining;
}

/** Whether a task may leave its state at the next look, without any file having come to its end. */
export function isTransient(task: DumpTask): boolean {
  return task.state === 'STARTING' || (task.draining && !task.pairs.some(isPlanned));
}

interface Written {
  readonly plans: readonly Plan[];
  readonly statuses: ReadonlyMap<DumpTask, TaskStatus>;
  readonly lost: readonly Pair[];
}

async function write(
  transaction: Kysely<Database>,
  { tasks, lost }: Granted,
  { clock, cluster }: PlannerParts,
  cuts: readonly Due[],
  moving: readonly DumpTask[],
): Promise<Written> {
  const granted = cuts.filter(({ pair }) => !lost.has(pair.lease) && isAsKnown(pair.task, tasks.get(pair.task.id)));
  const perTask = Map.groupBy(granted, ({ pair }) => pair.task);
  // Redrives take names, too, and any node plans them.
  const nameTimes = await selectNameTimes(transaction, [...perTask.keys()].map(({ id }) => id)); // prettier-ignore
  const now = clock.now();
  const drafts = granted.map(({ pair, to }) => {
    const { id } = pair.task;
    const after = nameTimes.get(id)?.get(pair.ref.partition) ?? 0;
    return draft(pair, to, Math.max(now, after + 1, tasks.get(id)!.plan_floor));
  });
  const ids = drafts.length === 0 ? [] : await insertPlans(transaction, drafts.map(planRow));
  if (drafts.length > 0) await setNameTimes(transaction, drafts.map(toPosition));
  for (const [task, ofTask] of perTask) await addLogRows(transaction, task.id, ofTask.length);

  const held = moving.filter(({ id }) => !lost.has(taskLease(id)));
  const statuses = await statusesOf(transaction, held, tasks);
  await writeStatuses(transaction, cluster, statuses, tasks);
  return {
    plans: drafts.map((plan, index) => ({ ...plan, id: ids[index]! })),
    statuses,
    lost: cuts.flatMap(({ pair }) => (lost.has(pair.lease) ? pair : [])),
  };
}

function canHavePlan(pair: Pair): boolean {
  return takesPlans(pair.task) && pair.plan === undefined && !pair.uncertain;
}

/** A task that another node has changed gets its next plans when memory has followed. */
function isAsKnown(task: DumpTask, locked: LockedTask | undefined): boolean {
  return locked !== undefined && locked.version === task.version && locked.draining === 0 && locked.state !== 'PAUSED';
}

function draft(pair: Pair, next: number, createdAt: number): Omit<Plan, 'id'> {
  const { task } = pair;
  const { settings, version } = task;
  return {
    pair,
    first: pair.position,
    next,
    createdAt,
    startTime: Math.min(pair.waitingSince, createdAt),
    baseName: planName(pair, createdAt),
    bucket: settings.bucket,
    version,
    settings,
    schemaRevision: task.schemaRevision,
    attempt: 1,
    tried: false,
    firstFailure: undefined,
    failure: undefined,
    retryAt: 0,
    nextTryAt: undefined,
    phase: 'waiting',
  };
}

function toPosition({ pair, createdAt }: Omit<Plan, 'id'>) {
  return {
    task_id: pair.task.id,
    partition: pair.ref.partition,
    position: pair.position,
    waiting_since: pair.waitingSince,
    last_name_time: createdAt,
    last_transfer_at: pair.lastTransferAt,
    discarded: pair.discarded,
  };
}
