/**
 * The statements about the dump log: planned files, their ends, failed attempts, pages. They decide nothing. Whoever adds
 * rows counts them with `addLogRows` in the same transaction.
 */
import { sql, type Insertable, type Kysely, type Selectable, type Updateable } from 'kysely';
import { LOG_STATE, type Database, type DumpLogTable, type LogKind } from './schema.ts';

export type DumpLogRow = Selectable<DumpLogTable>;

export type NewLogRow = Omit<Insertable<DumpLogTable>, 'id'>;

const DELIVERY: LogKind = 'delivery';

/** A row has some forty columns; SQLite takes 32,766 parameters a statement. */
const ROWS_PER_STATEMENT = 500;

/** Adds planned cuts; resolves to the number of each row, in the order of `rows`. */
export async function insertPlans(db: Kysely<Database>, rows: readonly NewLogRow[]): Promise<number[]> {
  const inserted = await db
    .insertInto('dump_log')
    .values([...rows])
    .returning(['id', 'file_name'])
    .execute();
  // The order of what RETURNING gives is not promised; file names are unique.
  const ids = new Map(inserted.map(({ id, file_name }) => [file_name, id]));
  return rows.map(({ file_name }) => ids.get(file_name)!);
}

/** Adds rows whose numbers nobody needs: failed attempts, warnings, the further files of a cut. */
export async function insertLogRows(db: Kysely<Database>, rows: readonly NewLogRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    await db
      .insertInto('dump_log')
      .values(rows.slice(from, from + ROWS_PER_STATEMENT))
      .execute();
  }
}

/** A planned cut that is not done, with the settings that it was planned under. */
export interface OpenPlan extends DumpLogRow {
  readonly settings: string;
  /** When its task was deleted, if it was. */
  readonly deleted_at: number | null;
}

/** The planned deliveries, of all tasks or of one, in the order in which they were planned. */
export async function selectOpenPlans(db: Kysely<Database>, taskId?: string): Promise<OpenPlan[]> {
  let query = db
    .selectFrom('dump_log as l')
    .innerJoin('dump_tasks as t', 't.task_id', 'l.task_id')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 'l.task_id').onRef('v.version', '=', 'l.task_version'),
    )
    .selectAll('l')
    .select(['v.settings', 't.deleted_at'])
    // The state as a literal, since the partial index of open plans is found only so.
    .where(sql<boolean>`l.state = ${sql.lit(LOG_STATE.inProgress)}`)
    .where('l.kind', '=', DELIVERY);
  if (taskId !== undefined) query = query.where('l.task_id', '=', taskId);
  return query.orderBy('l.id').execute();
}

/** When the first attempt at a planned file failed, or undefined when none did. */
export async function selectFirstFailure(db: Kysely<Database>, plan: DumpLogRow): Promise<number | undefined> {
  const row = await db
    .selectFrom('dump_log')
    .where('task_id', '=', plan.task_id)
    .where('created_at', '=', plan.created_at)
    .where('partition', '=', plan.partition)
    .where('state', '=', LOG_STATE.failed)
    .where('kind', '=', plan.kind)
    .select(({ fn }) => fn.min('end_time').as('first'))
    .executeTakeFirst();
  return row?.first ?? undefined;
}

/** Ends a planned cut, committed or given up. False, with nothing changed, when the row is not in state 2 any more. */
export async function endPlan(db: Kysely<Database>, id: number, end: Updateable<DumpLogTable>): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('dump_log')
    .set(end)
    .where('id', '=', id)
    .where('state', '=', LOG_STATE.inProgress)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Counts a failed attempt of a planned cut. False, with nothing changed, when `attempt` is not the current one. */
export async function nextAttempt(db: Kysely<Database>, id: number, attempt: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('dump_log')
    .set({ attempt: attempt + 1 })
    .where('id', '=', id)
    .where('state', '=', LOG_STATE.inProgress)
    .where('attempt', '=', attempt)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Ends all planned cuts of a task as failed. Their ranges stay undelivered: they are not given up by themselves. */
export async function failOpenPlans(db: Kysely<Database>, taskId: string, cause: string, at: number): Promise<void> {
  await db
    .updateTable('dump_log')
    .set({ state: LOG_STATE.failed, cause, end_time: at })
    .where('task_id', '=', taskId)
    .where(sql<boolean>`state = ${sql.lit(LOG_STATE.inProgress)}`)
    .execute();
}

export const LOG_SORT_COLUMNS = [
  'created_at',
  'start_time',
  'end_time',
  'state',
  'records',
  'read_records',
  'bytes',
] as const;
export type LogSortColumn = (typeof LOG_SORT_COLUMNS)[number];

export interface LogPageRequest {
  readonly taskId: string;
  readonly column: LogSortColumn;
  readonly descending: boolean;
  /** Rows before the page, in its order. */
  readonly offset: number;
  readonly size: number;
  /** Count from the other end of the index: the same rows, sooner found when the page is nearer to it. */
  readonly fromEnd: boolean;
}

export interface LogPageRow extends DumpLogRow {
  /** Rows of the whole log at the moment of the page. */
  readonly total: number;
}

/**
 * One page of a task's log. Rows with equal keys are in the order in which they were made, or in the reverse of it. The
 * numbers of the page's rows come from the index alone; only the rows of the page itself are read.
 */
export async function selectLogPage(db: Kysely<Database>, page: LogPageRequest): Promise<LogPageRow[]> {
  const { taskId, column, descending, offset, size, fromEnd } = page;
  const total = sql<number>`(select log_rows from dump_tasks where task_id = ${taskId})`;
  // From the end, the rows behind the page are left out, and the last page is as short as it is from the front.
  const behind = sql<number>`${total} - ${offset} - ${size}`;
  const limit = fromEnd ? sql<number>`case when ${behind} < 0 then ${size} + (${behind}) else ${size} end` : size;
  const skip = fromEnd ? sql<number>`case when ${behind} < 0 then 0 else ${behind} end` : offset;

  const scanned = descending === fromEnd ? 'asc' : 'desc';
  const wanted = descending ? 'desc' : 'asc';
  const ids = db
    .selectFrom('dump_log')
    .select('id')
    .where('task_id', '=', taskId)
    .orderBy(column, scanned)
    .orderBy('id', scanned)
    .limit(limit)
    .offset(skip)
    .as('page');
  return db
    .selectFrom(ids)
    .innerJoin('dump_log as l', 'l.id', 'page.id')
    .selectAll('l')
    .select(total.as('total'))
    .orderBy(`l.${column}`, wanted)
    .orderBy('l.id', wanted)
    .execute();
}
