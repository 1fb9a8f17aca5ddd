/**
 * Writes plans: the cuts of a stream, made durable before a byte of their files is uploaded. All plans of a call are
 * rows of dump_log in state 2 after one transaction, or none is.
 */
import { insertPlans } from '../catalog/dump-log.ts';
import { setNameTimes } from '../catalog/dump-positions.ts';
import { addLogRows, setTaskState } from '../catalog/dump-tasks.ts';
import type { DumpParts } from './dump-config.ts';
import { planName } from './plan-name.ts';
import { planRow } from './plan-row.ts';
import { isActive, stateAfterWork } from './task-state.ts';
import { isFailing, type DumpTask, type Pair, type Plan } from './task-table.ts';

/** A pair whose records are to be cut at `to` (exclusive). */
export interface Due {
  readonly pair: Pair;
  readonly to: number;
}

/**
 * Plans a file for each of `due` that still can have one, and takes the tasks of `started` out of STARTING. Runs in the
 * lane. Resolves to the new plans, which wait to be queued. When it rejects, the pairs are left uncertain.
 */
export async function writePlans(
  { catalog, clock }: Pick<DumpParts, 'catalog' | 'clock'>,
  due: readonly Due[],
  started: readonly DumpTask[],
): Promise<Plan[]> {
  const starting = started.filter(({ state }) => state === 'STARTING');
  // A look at the stream is not in the lane: meanwhile the task may have been stopped or the pair planned.
  const cuts = due.filter(({ pair, to }) => isActive(pair.task.state) && pair.plan === undefined && to > pair.position);
  if (cuts.length === 0 && starting.length === 0) return [];

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
      for (const task of starting) await setTaskState(transaction, task.id, firstState(task));
    });
  } catch (error) {
    for (const { pair } of drafts) pair.uncertain = true;
    throw error;
  }
  for (const task of starting) task.state = firstState(task);
  return drafts.map((plan, index) => {
    const { pair } = plan;
    pair.lastNameTime = plan.createdAt;
    pair.plan = { ...plan, id: ids[index]! };
    return pair.plan;
  });
}

function firstState(task: DumpTask) {
  return stateAfterWork(task.state, task.pairs.some(isFailing));
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
    firstFailure: undefined,
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
