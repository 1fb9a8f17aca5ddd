/**
 * The statements that write the dump log: planned files, their ends, failed attempts. They decide nothing. Whoever adds rows
 * counts them with `addLogRows` in the same transaction. Pages of it are read by dump-log-pages.ts.
 */
import { sql, type Insertable, type Kysely, type Selectable, type Updateable } from 'kysely';
import { LOG_STATE, type Database, type DumpLogTable, type LogKind } from './schema.ts';
import { indexedBy } from './sql-dialect.ts';

export type DumpLogRow = Selectable<DumpLogTable>;

export type NewLogRow = Omit<Insertable<DumpLogTable>, 'id'>;

const DELIVERY: LogKind = 'delivery';

/** Larger statements are no faster, and each is put together at a stretch: nothing else runs meanwhile. */
const ROWS_PER_STATEMENT = 50;

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

/** The planned deliveries, of all tasks or of some, in the order in which they were planned. */
export async function selectOpenPlans(db: Kysely<Database>, taskIds?: readonly string[]): Promise<OpenPlan[]> {
  // In the order of their numbers SQLite would walk the whole log.
  const log = sql<DumpLogRow>`dump_log`.as<'l'>(sql`l ${indexedBy(db, 'dump_log_planned')}`);
  let query = db
    .selectFrom(log)
    .innerJoin('dump_tasks as t', 't.task_id', 'l.task_id')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 'l.task_id').onRef('v.version', '=', 'l.task_version'),
    )
    .selectAll('l')
    .select(['v.settings', 't.deleted_at'])
    // The state as a literal, since the partial index of open plans is found only so.
    .where(sql<boolean>`l.state = ${sql.lit(LOG_STATE.inProgress)}`)
    .where('l.kind', '=', DELIVERY);
  if (taskIds?.length === 0) return [];
  if (taskIds !== undefined) query = query.where('l.task_id', 'in', taskIds);
  return query.orderBy('l.id').execute();
}

/** The file names that a task has planned and not ended, whatever their kind; further files of a cut begin alike. */
export async function selectPlannedNames(db: Kysely<Database>, taskId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('dump_log')
    .select('file_name')
    .where('task_id', '=', taskId)
    .where(sql<boolean>`state = ${sql.lit(LOG_STATE.inProgress)}`)
    .execute();
  return rows.map(({ file_name }) => file_name);
}

export interface Failures {
  /** When the first attempt failed, in ms. */
  readonly firstAt: number;
  readonly last: { readonly errorCode: string; readonly cause: string };
}

/** The failed attempts at a planned file; undefined when there was none. */
export async function selectFailures(db: Kysely<Database>, plan: DumpLogRow): Promise<Failures | undefined> {
  const failed = db
    .selectFrom('dump_log')
    .where('task_id', '=', plan.task_id)
    .where('created_at', '=', plan.created_at)
    .where('partition', '=', plan.partition)
    .where('state', '=', LOG_STATE.failed)
    .where('kind', '=', plan.kind);
  // The sum keeps SQLite from walking along the index of the ends.
  const oldest = await failed
    .select(({ fn }) => fn.min<number | null>(sql<number>`end_time + 0`).as('end'))
    .executeTakeFirst();
  const last = await failed.select(['error_code', 'cause']).orderBy('id', 'desc').limit(1).executeTakeFirst();
  if (typeof oldest?.end !== 'number' || last === undefined) return undefined;
  return { firstAt: oldest.end, last: { errorCode: last.error_code ?? '', cause: last.cause ?? '' } };
}

/** The records of a task that could not be converted and that no redrive has taken, and where the newest of them are. */
export async function selectDeadLetters(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ readonly records: number; readonly newestKey: string | undefined }> {
  const dead = db
    .selectFrom(sql<DumpLogRow>`dump_log`.as<'l'>(sql`l ${indexedBy(db, 'dump_log_dead')}`))
    .where('task_id', '=', taskId)
    // As the partial index has it.
    .where(sql<boolean>`dead_letters > 0`)
    .where('redriven_by', 'is', null);
  const sum = await dead
    .select(({ fn }) => fn.sum<number | string | null>('dead_letters').as('records'))
    .executeTakeFirst();
  const records = Number(sum?.records ?? 0);
  if (records === 0) return { records, newestKey: undefined };
  const newest = await dead.select('dead_letter_key').orderBy('id', 'desc').limit(1).executeTakeFirst();
  return { records, newestKey: newest?.dead_letter_key ?? undefined };
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

/** Whether the plan of a row has come to its end without having been committed: nobody will commit it any more. */
export async function isPlanFailed(db: Kysely<Database>, id: number): Promise<boolean> {
  const row = await db.selectFrom('dump_log').select('state').where('id', '=', id).executeTakeFirst();
  return row?.state === LOG_STATE.failed;
}

/**
 * Counts a failed attempt of a planned cut; the next one is made at `retryAt` (ms) where that is told. False, with nothing
 * changed, when `attempt` is not the current one.
 */
export async function nextAttempt(
  db: Kysely<Database>,
  id: number,
  attempt: number,
  retryAt: number | null = null,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('dump_log')
    .set({ attempt: attempt + 1, retry_at: retryAt })
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
