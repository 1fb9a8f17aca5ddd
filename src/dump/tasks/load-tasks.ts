/** From the catalog into memory: everything at start, single pairs when memory can no longer be trusted. */
import { selectFailures, selectOpenPlans, type OpenPlan } from '../../catalog/dump-log.ts';
import { selectLivePositions, selectPositions, type DumpPositionRow } from '../../catalog/dump-positions.ts';
import { selectLiveTasks, type DumpTaskRow } from '../../catalog/dump-tasks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { TaskKind } from '../../catalog/schema.ts';
import { planName } from '../cuts/plan-name.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';
import { pairLease } from './lease-names.ts';
import { TASK_STATES, type TaskState } from './task-state.ts';
import type { DumpTask, Pair, Plan } from './task-table.ts';

export interface LoadedTasks {
  readonly tasks: readonly DumpTask[];
  /** Ids of deleted tasks that have planned files left: whoever deleted them did not get to the end. */
  readonly unfinishedDeletes: readonly string[];
}

/** Every live task with its positions and planned files. */
export async function loadTasks({ db }: Pick<Catalog, 'db'>): Promise<LoadedTasks> {
  const rows = await selectLiveTasks(db);
  const positions = Map.groupBy(await selectLivePositions(db), ({ task_id }) => task_id);
  const tasks = new Map(
    rows.map((row) => [
      row.task_id,
      makeTask(row, parseStoredSettings(row.settings), positions.get(row.task_id) ?? []),
    ]),
  );
  const unfinishedDeletes = new Set<string>();
  for (const plan of await selectOpenPlans(db)) {
    const pair = tasks.get(plan.task_id)?.pairs.find(({ ref }) => ref.partition === plan.partition);
    if (plan.deleted_at !== null) unfinishedDeletes.add(plan.task_id);
    else if (pair !== undefined) pair.plan = await toPlan({ db }, pair, plan);
  }
  return { tasks: [...tasks.values()], unfinishedDeletes: [...unfinishedDeletes] };
}

/** A live task as the catalog has it at the moment, apart from the one that memory has; undefined when it is deleted. */
export async function loadTask({ db }: Pick<Catalog, 'db'>, taskId: string): Promise<DumpTask | undefined> {
  const [row] = await selectLiveTasks(db, [taskId]);
  if (row === undefined) return undefined;
  const task = makeTask(row, parseStoredSettings(row.settings), await selectPositions(db, [taskId]));
  for (const plan of await selectOpenPlans(db, [taskId])) {
    const pair = task.pairs.find(({ ref }) => ref.partition === plan.partition);
    if (pair !== undefined) pair.plan = await toPlan({ db }, pair, plan);
  }
  return task;
}

/** Makes uncertain pairs say again what the catalog says. */
export async function refreshPairs({ db }: Pick<Catalog, 'db'>, pairs: readonly Pair[]): Promise<void> {
  const byLease = new Map(pairs.map((pair) => [pair.lease, pair]));
  const pairOf = (row: { readonly task_id: string; readonly partition: number }) =>
    byLease.get(pairLease(row.task_id, row.partition));
  const tasks = [...new Set(pairs.map(({ task }) => task.id))];
  for (let from = 0; from < tasks.length; from += TASKS_PER_READ) {
    const ids = tasks.slice(from, from + TASKS_PER_READ);
    const rows = await selectPositions(db, ids);
    const plans = new Map<Pair, Plan>();
    for (const open of await selectOpenPlans(db, ids)) {
      const pair = pairOf(open);
      if (pair !== undefined) plans.set(pair, await toPlan({ db }, pair, open));
    }
    for (const row of rows) {
      const pair = pairOf(row);
      if (pair !== undefined) Object.assign(pair, toPair(pair.task, row), { plan: plans.get(pair) });
    }
  }
}

/** Databases bound the parameters of one statement. */
const TASKS_PER_READ = 500;

/** A task as memory has it; its pairs are those of `positions`, without plans. */
export function makeTask(row: DumpTaskRow, settings: DumpSettings, positions: readonly DumpPositionRow[]): DumpTask {
  const task: DumpTask = {
    id: row.task_id,
    projectId: row.project_id,
    stream: row.stream,
    streamName: row.stream_name,
    name: row.name,
    kind: row.kind as TaskKind,
    parentId: row.parent_id,
    state: toState(row.state),
    draining: row.draining === 1,
    version: row.version,
    settings,
    schemaRevision: row.schema_revision,
    pairs: [],
  };
  addPairs(task, positions);
  return task;
}

/** Adds a pair, without a plan, for each of `positions` whose partition has none. */
export function addPairs(task: DumpTask, positions: readonly DumpPositionRow[]): void {
  const known = new Set(task.pairs.map(({ ref }) => ref.partition));
  for (const row of positions) if (!known.has(row.partition)) task.pairs.push(toPair(task, row));
}

function toPair(task: DumpTask, row: DumpPositionRow): Pair {
  return {
    task,
    ref: { stream: task.stream, partition: row.partition },
    lease: pairLease(task.id, row.partition),
    position: row.position,
    waitingSince: row.waiting_since,
    lastTransferAt: row.last_transfer_at,
    discarded: row.discarded,
    end: row.end_position,
    allDead: row.all_dead === 1,
    warnedPosition: row.warned_position,
    plan: undefined,
    measured: { to: row.position, bytes: 0 },
    seen: { next: -1, at: 0 },
    uncertain: false,
  };
}

/** A plan is taken up where it was left; whatever pause it was in, a start is a good moment to try again. */
async function toPlan({ db }: Pick<Catalog, 'db'>, pair: Pair, row: OpenPlan): Promise<Plan> {
  const failures = row.attempt > 1 ? await selectFailures(db, row) : undefined;
  return {
    pair,
    id: row.id,
    first: row.first_sequence,
    next: row.next_sequence,
    createdAt: row.created_at,
    startTime: row.start_time,
    baseName: planName(pair, row.created_at),
    bucket: row.bucket,
    version: row.task_version,
    settings: parseStoredSettings(row.settings),
    schemaRevision: row.schema_revision,
    attempt: row.attempt,
    tried: true,
    firstFailure: failures?.firstAt,
    failure: failures?.last,
    retryAt: 0,
    nextTryAt: row.retry_at ?? undefined,
    phase: 'waiting',
  };
}

/** A state that is not ours is looked at anew, as that of a task that has just been created. */
export function toState(text: string): TaskState {
  return TASK_STATES.find((state) => state === text) ?? 'STARTING';
}
