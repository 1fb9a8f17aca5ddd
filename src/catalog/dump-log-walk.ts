/**
 * The statements that walk a task's whole log in pages, and that look objects up in it. Each page begins behind the last
 * row of the one before, so that a long walk holds up nobody.
 */
import { sql, type Kysely, type Selectable } from 'kysely';
import type { DumpLogRow } from './dump-log.ts';
import { LOG_STATE, type Database, type DumpManifestsTable } from './schema.ts';

/** Where a walk in the order of the cuts stands: behind this row. */
export interface CutMark {
  readonly created_at: number;
  readonly id: number;
}

const CUT_COLUMNS = [
  'id',
  'task_id',
  'task_version',
  'partition',
  'state',
  'kind',
  'plan_id',
  'source_id',
  'first_sequence',
  'next_sequence',
  'first_record',
  'last_record',
  'created_at',
  'file_name',
  'bucket',
  'object_key',
  'records',
  'bytes',
  'checksum',
  'given_up',
  'dead_letters',
  'dead_letter_key',
  'dead_letter_checksum',
  'schema_revision',
  'superseded_at',
] as const;
/** A row as far as the arithmetic of cuts looks at it. */
export type CutRow = Pick<DumpLogRow, (typeof CUT_COLUMNS)[number]>;

/** The next rows by time of their plan: within a partition that is the order of sequence numbers. */
export async function selectRowsByCut(
  db: Kysely<Database>,
  taskId: string,
  after: CutMark | undefined,
  limit: number,
): Promise<CutRow[]> {
  let query = db.selectFrom('dump_log').select(CUT_COLUMNS).where('task_id', '=', taskId);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(created_at, id) > (${after.created_at}, ${after.id})`);
  }
  return query.orderBy('created_at').orderBy('id').limit(limit).execute();
}

export interface MergeSums {
  readonly bucket: string;
  readonly object_key: string;
  readonly records: number;
  /** Records of the files that it stands for. */
  readonly inputs: number;
}

/** Of committed merges with these numbers: their records, and those of their inputs at the same moment. */
export async function selectMergeSums(db: Kysely<Database>, ids: readonly number[]): Promise<MergeSums[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('dump_log as m')
    .where('m.id', 'in', ids)
    .where('m.state', '=', LOG_STATE.succeeded)
    .select(['m.bucket', 'm.object_key', 'm.records'])
    .select(
      sql<number>`(select coalesce(sum(i.records), 0) from dump_log as i
        where i.merge_id = m.id and i.superseded_at is not null)`.as('inputs'),
    )
    .execute();
}

export interface RedriveSums {
  /** Of the row whose dead letters it took. */
  readonly partition: number;
  readonly bucket: string;
  readonly object_key: string;
  readonly dead_letters: number;
  /** Records of its files, and letters that are dead again. */
  readonly outcome: number;
}

/** Of committed redrives with these numbers whose source is kept: the letters that they took, and what came of them. */
export async function selectRedriveSums(db: Kysely<Database>, ids: readonly number[]): Promise<RedriveSums[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('dump_log as p')
    .innerJoin('dump_log as s', (join) => join.onRef('s.id', '=', 'p.source_id').onRef('s.redriven_by', '=', 'p.id'))
    .where('p.id', 'in', ids)
    .where('p.state', '=', LOG_STATE.succeeded)
    .select(['s.partition', 's.bucket', 's.object_key', 's.dead_letters'])
    .select(
      // Rows of one plan have its time: that is how an index finds them.
      sql<number>`(select coalesce(sum(r.records + r.dead_letters), 0) from dump_log as r
        where r.task_id = p.task_id and r.created_at = p.created_at
          and coalesce(r.plan_id, r.id) = p.id and +r.state = ${LOG_STATE.succeeded})`.as('outcome'),
    )
    .execute();
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
  return db
    .selectFrom('dump_log')
    .select(OBJECT_COLUMNS)
    .where('task_id', '=', taskId)
    .where('state', '=', LOG_STATE.succeeded)
    .where('object_key', '<>', '')
    .where('superseded_at', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The rows that say that objects with these keys were stored, superseded ones included, by row number. */
export async function selectRowsOfObjects(
  db: Kysely<Database>,
  taskId: string,
  bucket: string,
  keys: readonly string[],
): Promise<ObjectRow[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom('dump_log')
    .select(OBJECT_COLUMNS)
    .where('task_id', '=', taskId)
    .where('bucket', '=', bucket)
    .where('object_key', 'in', keys)
    // The plus, and an order made here, keep SQLite from the index of states, which has the whole log in it.
    .where(sql<boolean>`+state = ${LOG_STATE.succeeded}`)
    .execute();
  return rows.sort((a, b) => a.id - b.id);
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

const DEAD_LETTER_COLUMNS = ['id', 'bucket', 'dead_letter_key', 'dead_letter_bytes', 'dead_letter_checksum'] as const;
export type DeadLetterRow = Pick<DumpLogRow, (typeof DEAD_LETTER_COLUMNS)[number]>;

/** The rows with dead letters that were planned at these times (ms). */
export async function selectDeadLettersOfPlans(
  db: Kysely<Database>,
  taskId: string,
  times: readonly number[],
): Promise<DeadLetterRow[]> {
  if (times.length === 0) return [];
  return db
    .selectFrom('dump_log')
    .select(DEAD_LETTER_COLUMNS)
    .where('task_id', '=', taskId)
    .where('created_at', 'in', times)
    .where(sql<boolean>`dead_letters > 0`)
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

const MANIFEST_COLUMNS = ['period', 'number', 'bucket', 'object_key', 'checksum', 'stored_at'] as const;
export type ManifestRow = Pick<Selectable<DumpManifestsTable>, (typeof MANIFEST_COLUMNS)[number]>;

/** The next manifests of a task that are stored, by period and number. */
export async function selectStoredManifests(
  db: Kysely<Database>,
  taskId: string,
  after: Pick<ManifestRow, 'period' | 'number'> | undefined,
  limit: number,
): Promise<ManifestRow[]> {
  let query = db.selectFrom('dump_manifests').select(MANIFEST_COLUMNS).where('task_id', '=', taskId);
  if (after !== undefined) query = query.where(sql<boolean>`(period, number) > (${after.period}, ${after.number})`);
  return query.where('stored_at', 'is not', null).orderBy('period').orderBy('number').limit(limit).execute();
}

/** The manifests with these keys, those that are not stored yet included. */
export async function selectManifestsOfObjects(
  db: Kysely<Database>,
  taskId: string,
  bucket: string,
  keys: readonly string[],
): Promise<ManifestRow[]> {
  if (keys.length === 0) return [];
  return db
    .selectFrom('dump_manifests')
    .select(MANIFEST_COLUMNS)
    .where('task_id', '=', taskId)
    .where('object_key', 'in', keys)
    .where('bucket', '=', bucket)
    .execute();
}
