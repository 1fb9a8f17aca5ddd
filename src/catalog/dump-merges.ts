/**
 * The statements about merges: rows of dump_log of kind `merge`, whose inputs are the rows with its number as `merge_id`.
 * They decide nothing.
 */
import { sql, type Kysely, type Selectable } from 'kysely';
import type { OpenPlan } from './dump-log.ts';
import { LOG_STATE, NO_PARTITION, type Database, type DumpLogTable, type LogKind } from './schema.ts';
import { indexedBy } from './sql-dialect.ts';

const MERGE: LogKind = 'merge';
/** What a merge is made of. */
const MERGED: readonly LogKind[] = ['delivery', 'redrive'];

const FILE_COLUMNS = [
  'id',
  'path',
  'partition',
  'first_sequence',
  'next_sequence',
  'first_record',
  'last_record',
  'bucket',
  'object_key',
  'file_name',
  'records',
  'bytes',
  'checksum',
  'start_time',
  'task_version',
  'schema_revision',
] as const;

/** A committed file, as far as merges look at it. */
export type FileRow = Pick<Selectable<DumpLogTable>, (typeof FILE_COLUMNS)[number]>;

const IDS_PER_STATEMENT = 500;
/** The state as a literal, since the partial index of open plans is found only so. */
const OPEN = sql<boolean>`state = ${sql.lit(LOG_STATE.inProgress)}`;

/** Paths of a period, behind `after`, that more than one file may be merged in; in order. */
export async function selectMergePaths(
  db: Kysely<Database>,
  taskId: string,
  period: number,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  let query = mergeable(db, taskId, period);
  if (after !== undefined) query = query.where('path', '>', after);
  const rows = await query
    .groupBy('path')
    .having(({ fn }) => fn.countAll(), '>', 1)
    .select('path')
    .orderBy('path')
    .limit(limit)
    .execute();
  return rows.map(({ path }) => path);
}

/**
 * The files of some paths of a period that may be merged, path by path. Within a path those of one set of inferred columns
 * are together, and the files of a partition are in the order of their records: revisions only grow.
 */
export async function selectMergeable(
  db: Kysely<Database>,
  taskId: string,
  period: number,
  paths: readonly string[],
): Promise<FileRow[]> {
  if (paths.length === 0) return [];
  return mergeable(db, taskId, period)
    .where('path', 'in', paths)
    .select(FILE_COLUMNS)
    .orderBy('path')
    .orderBy('schema_revision')
    .orderBy('partition')
    .orderBy('first_record')
    .orderBy('id')
    .execute();
}

/** Makes files the inputs of a merge; the number of those that were free. */
export async function claimInputs(db: Kysely<Database>, mergeId: number, ids: readonly number[]): Promise<number> {
  let claimed = 0n;
  for (let from = 0; from < ids.length; from += IDS_PER_STATEMENT) {
    const { numUpdatedRows } = await db
      .updateTable('dump_log')
      .set({ merge_id: mergeId })
      .where('id', 'in', ids.slice(from, from + IDS_PER_STATEMENT))
      .where('merge_id', 'is', null)
      .where('superseded_at', 'is', null)
      .executeTakeFirst();
    claimed += numUpdatedRows;
  }
  return Number(claimed);
}

/** Lets go of inputs of a merge: of those with these numbers, or of all. */
export async function releaseInputs(db: Kysely<Database>, mergeId: number, ids?: readonly number[]): Promise<void> {
  const release = () => db.updateTable('dump_log').set({ merge_id: null }).where('merge_id', '=', mergeId);
  if (ids === undefined) await release().execute();
  else {
    for (let from = 0; from < ids.length; from += IDS_PER_STATEMENT) {
      await release()
        .where('id', 'in', ids.slice(from, from + IDS_PER_STATEMENT))
        .execute();
    }
  }
}

/** The inputs of a merge in the order in which they are put together. */
export async function selectInputs(db: Kysely<Database>, mergeId: number): Promise<FileRow[]> {
  return db
    .selectFrom('dump_log')
    .select(FILE_COLUMNS)
    .where('merge_id', '=', mergeId)
    .orderBy('schema_revision')
    .orderBy('partition')
    .orderBy('first_record')
    .orderBy('id')
    .execute();
}

/** Marks the inputs of a committed merge; how many they are. */
export async function supersedeInputs(db: Kysely<Database>, mergeId: number, at: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('dump_log')
    .set({ superseded_at: at })
    .where('merge_id', '=', mergeId)
    .where('superseded_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** The planned merges of every live task, in the order of their plans. */
export async function selectOpenMerges(
  db: Kysely<Database>,
): Promise<{ readonly id: number; readonly task_id: string }[]> {
  // In the order of their numbers SQLite would walk the whole log.
  const log = sql<Selectable<DumpLogTable>>`dump_log`.as<'l'>(sql`l ${indexedBy(db, 'dump_log_planned')}`);
  return db
    .selectFrom(log)
    .innerJoin('dump_tasks as t', 't.task_id', 'l.task_id')
    .where('t.deleted_at', 'is', null)
    .where(sql<boolean>`l.state = ${sql.lit(LOG_STATE.inProgress)}`)
    .where('l.partition', '=', NO_PARTITION)
    .where('l.kind', '=', MERGE)
    .select(['l.id', 'l.task_id'])
    .orderBy('l.id')
    .execute();
}

/** The row of a merge, whatever its state, with the settings that it was planned under. */
export async function selectMerge(db: Kysely<Database>, id: number): Promise<OpenPlan | undefined> {
  return db
    .selectFrom('dump_log as l')
    .innerJoin('dump_tasks as t', 't.task_id', 'l.task_id')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 'l.task_id').onRef('v.version', '=', 'l.task_version'),
    )
    .selectAll('l')
    .select(['v.settings', 't.deleted_at'])
    .where('l.id', '=', id)
    .where('l.kind', '=', MERGE)
    .executeTakeFirst();
}

/** Where the merges that the deletion of their task has ended were to be stored. */
export async function selectEndedMerges(
  db: Kysely<Database>,
  taskId: string,
): Promise<Pick<FileRow, 'bucket' | 'object_key'>[]> {
  return db
    .selectFrom('dump_log as l')
    .innerJoin('dump_tasks as t', (join) =>
      join.onRef('t.task_id', '=', 'l.task_id').onRef('t.deleted_at', '=', 'l.end_time'),
    )
    .where('l.task_id', '=', taskId)
    .where('l.kind', '=', MERGE)
    .where('l.state', '=', LOG_STATE.failed)
    .select(['l.bucket', 'l.object_key'])
    .execute();
}

/** Whether a period of a task has planned merges. */
export async function hasOpenMerge(db: Kysely<Database>, taskId: string, period: number): Promise<boolean> {
  const row = await db
    .selectFrom('dump_log')
    .select('id')
    .where('task_id', '=', taskId)
    .where(OPEN)
    .where('partition', '=', NO_PARTITION)
    .where('kind', '=', MERGE)
    .where('period', '=', period)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The last file name of a task, in order of code units, that begins with `start`, which ends in a dot. */
export async function selectLastName(db: Kysely<Database>, taskId: string, start: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('dump_log')
    .select('file_name')
    .where('task_id', '=', taskId)
    .where('file_name', '>=', start)
    // The slash comes right behind the dot.
    .where('file_name', '<', `${start.slice(0, -1)}/`)
    .orderBy('file_name', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.file_name;
}

export interface UnremovedFile extends Pick<FileRow, 'id' | 'bucket' | 'object_key'> {
  readonly superseded_at: number;
}

/** Superseded files whose objects have not been removed, in the order in which they were superseded, behind `after`. */
export async function selectUnremoved(
  db: Kysely<Database>,
  after: Pick<UnremovedFile, 'superseded_at' | 'id'> | undefined,
  limit: number,
): Promise<UnremovedFile[]> {
  let query = db.selectFrom('dump_log').where('superseded_at', 'is not', null).where('removed_at', 'is', null);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(superseded_at, id) > (${after.superseded_at}, ${after.id})`);
  }
  const rows = await query
    .select(['id', 'bucket', 'object_key', 'superseded_at'])
    .orderBy('superseded_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, superseded_at: row.superseded_at ?? 0 }));
}

export async function setRemoved(db: Kysely<Database>, ids: readonly number[], at: number): Promise<void> {
  if (ids.length === 0) return;
  await db.updateTable('dump_log').set({ removed_at: at }).where('id', 'in', ids).execute();
}

function mergeable(db: Kysely<Database>, taskId: string, period: number) {
  return db
    .selectFrom('dump_log')
    .where('task_id', '=', taskId)
    .where('period', '=', period)
    .where('state', '=', LOG_STATE.succeeded)
    .where('kind', 'in', MERGED)
    .where('object_key', '<>', '')
    .where('merge_id', 'is', null)
    .where('superseded_at', 'is', null)
    .where('manifest', 'is', null);
}
