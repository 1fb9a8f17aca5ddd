/**
 * The statements about dump tasks and the versions of their settings. They read and write rows and decide nothing. A
 * deleted task keeps its row, with `deleted_at`, for its log; "live" below means not deleted and, unless it says
 * otherwise, no backfill.
 */
import { sql, type Insertable, type Kysely, type Selectable } from 'kysely';
import { locksRows } from './row-locks.ts';
import type { Database, DumpTasksTable, TaskKind } from './schema.ts';

/** The tasks that people make; backfills are found through them. */
const LIVE: TaskKind = 'live';

export type DumpTaskRow = Selectable<DumpTasksTable>;

/** A task with the settings of its current version. */
export interface DumpTaskWithSettings extends DumpTaskRow {
  readonly settings: string;
}

/** A task of a list, with the time of its newest commit in any partition. */
export interface DumpTaskSummary extends DumpTaskRow {
  readonly last_transfer_at: number | null;
}

export async function insertTask(db: Kysely<Database>, task: Insertable<DumpTasksTable>): Promise<void> {
  await db.insertInto('dump_tasks').values(task).execute();
}

export async function insertTaskVersion(
  db: Kysely<Database>,
  version: { task_id: string; version: number; settings: string; created_at: number },
): Promise<void> {
  await db.insertInto('dump_task_versions').values(version).execute();
}

/** Within a transaction: whether a stream's row is there, and then it stays there until the end. */
export async function streamExists(transaction: Kysely<Database>, stream: number): Promise<boolean> {
  const row = await transaction
    .selectFrom('streams')
    .select('number')
    .where('number', '=', stream)
    .$if(locksRows(transaction), (rows) => rows.forKeyShare())
    .executeTakeFirst();
  return row !== undefined;
}

/** What of a task decides about what may be written for it. */
export type LockedTask = Pick<DumpTaskRow, 'task_id' | 'state' | 'draining' | 'version' | 'plan_floor'>;

/**
 * Within a transaction that relies on locks (row-locks.ts): those of the tasks that are not deleted. Nobody else writes
 * anything about them before its end.
 */
export async function lockTasks(
  transaction: Kysely<Database>,
  taskIds: readonly string[],
): Promise<Map<string, LockedTask>> {
  if (taskIds.length === 0) return new Map();
  const rows = await transaction
    .selectFrom('dump_tasks')
    .select(['task_id', 'state', 'draining', 'version', 'plan_floor'])
    .where('task_id', 'in', taskIds)
    .where('deleted_at', 'is', null)
    // In one order for all, so that nobody waits for somebody who waits for it.
    .orderBy('task_id')
    .$if(locksRows(transaction), (tasks) => tasks.forUpdate())
    .execute();
  return new Map(rows.map((row) => [row.task_id, row]));
}

/** No cut of the task is planned for a time before `floor` (ms) any more; plans under way are waited for. */
export async function raisePlanFloor(db: Kysely<Database>, taskId: string, floor: number): Promise<void> {
  await db
    .updateTable('dump_tasks')
    .set({ plan_floor: floor })
    .where('task_id', '=', taskId)
    .where('plan_floor', '<', floor)
    .execute();
}

export async function countLiveTasks(db: Kysely<Database>, stream: number): Promise<number> {
  const { count } = await db
    .selectFrom('dump_tasks')
    .where('stream', '=', stream)
    .where('kind', '=', LIVE)
    .where('deleted_at', 'is', null)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** A task by its id, deleted or not. */
export async function selectTask(db: Kysely<Database>, taskId: string): Promise<DumpTaskRow | undefined> {
  return db.selectFrom('dump_tasks').selectAll().where('task_id', '=', taskId).executeTakeFirst();
}

/** The live task of a name. */
export async function selectTaskByName(
  db: Kysely<Database>,
  stream: number,
  name: string,
): Promise<DumpTaskWithSettings | undefined> {
  return selectWithSettings(db)
    .where('t.stream', '=', stream)
    .where('t.name', '=', name)
    .where('t.kind', '=', LIVE)
    .executeTakeFirst();
}

/** Every live task of every project, and every backfill; or those with some ids. */
export async function selectLiveTasks(
  db: Kysely<Database>,
  taskIds?: readonly string[],
): Promise<DumpTaskWithSettings[]> {
  let query = selectWithSettings(db);
  if (taskIds !== undefined) query = query.where('t.task_id', 'in', taskIds);
  return query.orderBy('t.created_at').orderBy('t.task_id').execute();
}

/** Live tasks of a stream whose names come after `after` (exclusive; undefined starts at the first), by name. */
export async function selectTaskPage(
  db: Kysely<Database>,
  stream: number,
  after: string | undefined,
  limit: number,
): Promise<DumpTaskSummary[]> {
  let query = db
    .selectFrom('dump_tasks as t')
    .selectAll('t')
    .select((select) =>
      select
        .selectFrom('dump_positions as p')
        .whereRef('p.task_id', '=', 't.task_id')
        .select(({ fn }) => fn.max('p.last_transfer_at').as('last'))
        .as('last_transfer_at'),
    )
    .where('t.stream', '=', stream)
    .where('t.kind', '=', LIVE)
    .where('t.deleted_at', 'is', null);
  if (after !== undefined) query = query.where('t.name', '>', after);
  return query.orderBy('t.name').limit(limit).execute();
}

/** The version of a live task or a backfill, and its settings. */
export async function selectTaskSettings(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ readonly version: number; readonly settings: string } | undefined> {
  return selectWithSettings(db).where('t.task_id', '=', taskId).executeTakeFirst();
}

/** Every version of the settings of every task, deleted ones included: where each delivers to and ever did. */
export async function selectTaskPlaces(
  db: Kysely<Database>,
): Promise<{ readonly task_id: string; readonly settings: string }[]> {
  return db.selectFrom('dump_task_versions').select(['task_id', 'settings']).execute();
}

export async function setTaskVersion(db: Kysely<Database>, taskId: string, version: number): Promise<void> {
  await db.updateTable('dump_tasks').set({ version }).where('task_id', '=', taskId).execute();
}

export async function setTaskStatus(
  db: Kysely<Database>,
  taskId: string,
  { state, draining }: { readonly state: string; readonly draining: boolean },
): Promise<void> {
  const values = { state, draining: draining ? 1 : 0 };
  await db.updateTable('dump_tasks').set(values).where('task_id', '=', taskId).execute();
}

/** Marks a task as deleted; the time of an earlier mark stays. */
export async function markTaskDeleted(db: Kysely<Database>, taskId: string, state: string, at: number): Promise<void> {
  await db
    .updateTable('dump_tasks')
    .set({ state, deleted_at: sql<number>`coalesce(deleted_at, ${at})` })
    .where('task_id', '=', taskId)
    .execute();
}

/** Counts rows that were added to dump_log in the same transaction. */
export async function addLogRows(db: Kysely<Database>, taskId: string, rows: number): Promise<void> {
  await db
    .updateTable('dump_tasks')
    .set({ log_rows: sql<number>`log_rows + ${rows}` })
    .where('task_id', '=', taskId)
    .execute();
}

function selectWithSettings(db: Kysely<Database>) {
  return db
    .selectFrom('dump_tasks as t')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 't.task_id').onRef('v.version', '=', 't.version'),
    )
    .selectAll('t')
    .select('v.settings')
    .where('t.deleted_at', 'is', null);
}
