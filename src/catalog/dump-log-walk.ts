/**
 * The statements that walk a task's whole log in pages, and that look objects up in it. Each page begins behind the last
 * row of the one before, so that a long walk holds up nobody.
 */
import { sql, type Kysely } from 'kysely';
import type { DumpLogRow } from './dump-log.ts';
import { LOG_STATE, type Database } from './schema.ts';

/** Where a walk in the order of the cuts stands: behind this row. */
export interface CutMark {
  readonly created_at: number;
  readonly id: number;
}

/** The next rows by time of their plan: within a partition that is the order of sequence numbers. */
export async function selectRowsByCut(
  db: Kysely<Database>,
  taskId: string,
  after: CutMark | undefined,
  limit: number,
): Promise<DumpLogRow[]> {
  let query = db.selectFrom('dump_log').selectAll().where('task_id', '=', taskId);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(created_at, id) > (${after.created_at}, ${after.id})`);
  }
  return query.orderBy('created_at').orderBy('id').limit(limit).execute();
}

const OBJECT_COLUMNS = [
  'id',
  'bucket',
  'object_key',
  'bytes',
  'checksum',
  'etag',
  'superseded_at',
  'removed_at',
] as const;
export type ObjectRow = Pick<DumpLogRow, (typeof OBJECT_COLUMNS)[number]>;

/** The next rows whose objects are files of the task, by row number; `after` is exclusive. */
export async function selectLiveObjects(
  db: Kysely<Database>,
  taskId: string,
  after: number,
  limit: number,
): Promise<ObjectRow[]> {
  return objectRows(db, taskId)
    .where('superseded_at', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The rows that say that objects with these keys were stored, superseded ones included. */
export async function selectRowsOfObjects(
  db: Kysely<Database>,
  taskId: string,
  bucket: string,
  keys: readonly string[],
): Promise<ObjectRow[]> {
  return objectRows(db, taskId).where('bucket', '=', bucket).where('object_key', 'in', keys).orderBy('id').execute();
}

/** The row that says an object was stored, or undefined when none does. */
export async function selectRowOfObject(
  db: Kysely<Database>,
  taskId: string,
  bucket: string,
  key: string,
): Promise<ObjectRow | undefined> {
  return (await selectRowsOfObjects(db, taskId, bucket, [key]))[0];
}

/** The rows with dead letters, by row number; `after` is exclusive. */
export async function selectDeadLetterRows(
  db: Kysely<Database>,
  taskId: string,
  after: number,
  limit: number,
): Promise<DumpLogRow[]> {
  return db
    .selectFrom('dump_log')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('id', '>', after)
    .where('dead_letters', '>', 0)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The settings of every version of a task, by version. */
export async function selectVersions(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ readonly version: number; readonly settings: string }[]> {
  return db
    .selectFrom('dump_task_versions')
    .select(['version', 'settings'])
    .where('task_id', '=', taskId)
    .orderBy('version')
    .execute();
}

/** The manifests of a task that are stored. */
export async function selectStoredManifests(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ readonly bucket: string; readonly object_key: string; readonly checksum: string | null }[]> {
  return db
    .selectFrom('dump_manifests')
    .select(['bucket', 'object_key', 'checksum'])
    .where('task_id', '=', taskId)
    .where('stored_at', 'is not', null)
    .execute();
}

function objectRows(db: Kysely<Database>, taskId: string) {
  return db
    .selectFrom('dump_log')
    .select(OBJECT_COLUMNS)
    .where('task_id', '=', taskId)
    .where('state', '=', LOG_STATE.succeeded)
    .where('object_key', '<>', '');
}
