/**
 * Writes plans: the cuts of a stream, made durable before a byte of their files is uploaded. All plans of a call are
 * rows of dump_log in state 2 after one transaction, or none is.
 */
import { insertPlans } from '../../catalog/dump-log.ts';
import { setNameTimes } from '../../catalog/dump-positions.ts';
import { addLogRows, setTaskStatus } from '../../catalog/dump-tasks.ts';
import type { DumpParts } from '../dump-config.ts';
import { planName } from './plan-name.ts';
import { planRow } from './plan-row.ts';
import { isActive, statusAfterWork, type TaskStatus } from '../tasks/task-state.ts';
import { workOf, type DumpTask, type Pair, type Plan } from '../tasks/task-table.ts';

/** A pair whose records are to be cut at `to` (exclusive). */
export interface Due {
  readonly pair: Pair;
  readonly to: number;
}

/**
 * Plans a file for each of `due` that still can have one, and takes those of `tasks` to their next state that do not
 * stay as they are (see isTransient). Runs in the lane. Resolves to the new plans, which wait to be queued. When it
 * rejects, the pairs are left uncertain.
 */
export async function writePlans(
  { catalog, clock }: Pick<DumpParts, 'catalog' | 'clock'>,
  due: readonly Due[],
  tasks: readonly DumpTask[],
): Promise<Plan[]> {
  // Those of deleted tasks stay: they are in state DELETE.
  const moving = tasks.filter(isTransient);
  // A look at the stream is not in the lane: meanwhile the task may have been stopped or the pair planned.
  const cuts = due.filter(({ pair, to }) => takesPlans(pair.task) && pair.plan === undefined && to > pair.position);
  if (cuts.length === 0 && moving.length === 0) return [];

  const now = clock.now();
  const drafts = cuts.map((cut) => draft(cut, now));
  const perTask = Map.groupBy(drafts, ({ pair }) => pair.task);
  let ids: number[] = [];
  try {
    await catalog.db.transaction().execute(async (transaction) => {
      if (drafts.length > 0) {
        ids = await insertPlans(transaction, drafts.map(planRow));
        await setNameTimes(transaction, drafts.map(toPosition));
      }
      for (const [task, plans] of perTask) await addLogRows(transaction, task.id, plans.length);
      for (const task of moving) await setTaskStatus(transaction, task.id, nextStatus(task));
    });
  } catch (error) {
    for (const { pair } of drafts) pair.uncertain = true;
    throw error;
  }
  for (const task of moving) Object.assign(task, nextStatus(task));
  return drafts.map((plan, index) => {
    const { pair } = plan;
    pair.lastNameTime = plan.createdAt;
    pair.plan = { ...plan, id: ids[index]! };
    return pair.plan;
  });
}

/** Whether files may be planned for a task. */
export function takesPlans({ state, draining }: DumpTask): boolean {
  return isActive(state) && !draining;
}

/** Whether a task is to leave its state at the next look, without any file having come to its end. */
export function isTransient(task: DumpTask): boolean {
  return task.state === 'STARTING' || (task.draining && task.pairs.every((pair) => !workOf(pair).planned));
}

function nextStatus(task: DumpTask): TaskStatus {
  return statusAfterWork(task, task.pairs.map(workOf), task.settings.deliverSeconds * 1000);
}

function draft({ pair, to }: Due, now: number): Omit<Plan, 'id'> {
  const { task } = pair;
  const { settings, version } = task;
  const createdAt = Math.max(now, pair.lastNameTime + 1);
  return {
    pair,
    first: pair.position,
    next: to,
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
