/** From the catalog into memory: everything at start, single pairs when memory can no longer be trusted. */
import { selectFailures, selectOpenPlans, type OpenPlan } from '../../catalog/dump-log.ts';
import { selectLivePositions, selectPositions, type DumpPositionRow } from '../../catalog/dump-positions.ts';
import { selectLiveTasks, type DumpTaskRow } from '../../catalog/dump-tasks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { TaskKind } from '../../catalog/schema.ts';
import { planName } from '../cuts/plan-name.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';
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

/** Makes uncertain pairs say again what the catalog says. */
export async function refreshPairs({ db }: Pick<Catalog, 'db'>, pairs: Iterable<Pair>): Promise<void> {
  for (const pair of pairs) {
    const { id } = pair.task;
    const row = (await selectPositions(db, id)).find(({ partition }) => partition === pair.ref.partition);
    const open = (await selectOpenPlans(db, id)).find(({ partition }) => partition === pair.ref.partition);
    const plan = open === undefined ? undefined : await toPlan({ db }, pair, open);
    if (row !== undefined) Object.assign(pair, toPair(pair.task, row));
    pair.plan = plan;
  }
}

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
    position: row.position,
    waitingSince: row.waiting_since,
    lastNameTime: row.last_name_time,
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
    phase: 'waiting',
  };
}

/** A state that is not ours is looked at anew, as that of a task that has just been created. */
function toState(text: string): TaskState {
  return TASK_STATES.find((state) => state === text) ?? 'STARTING';
}
