/** The statements about manifests: the objects that tell which files a period has. They decide nothing. */
import { sql, type Insertable, type Kysely, type Selectable, type Updateable } from 'kysely';
import type { FileRow } from './dump-merges.ts';
import { LOG_STATE, type Database, type DumpManifestsTable } from './schema.ts';

export type DumpManifestRow = Selectable<DumpManifestsTable>;

/** What a manifest is about: one number of one period of one task. */
export interface ManifestKey {
  readonly task_id: string;
  readonly period: number;
  readonly number: number;
}

export interface ManifestSums {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  /** The newest version among those that the files were planned under. */
  readonly version: number;
}

/** Gives the files of a period that no manifest lists to one of them. Superseded ones are not among them. */
export async function claimFiles(db: Kysely<Database>, { task_id, period, number }: ManifestKey): Promise<void> {
  await db
    .updateTable('dump_log')
    .set({ manifest: number })
    .where('task_id', '=', task_id)
    .where('period', '=', period)
    .where('state', '=', LOG_STATE.succeeded)
    .where('superseded_at', 'is', null)
    .where('object_key', '<>', '')
    .where('manifest', 'is', null)
    .execute();
}

export async function sumFiles(db: Kysely<Database>, key: ManifestKey): Promise<ManifestSums> {
  const row = await filesOf(db, key)
    .select(({ fn }) => [
      fn.countAll().as('files'),
      fn.sum('records').as('records'),
      fn.sum('bytes').as('bytes'),
      fn.max('task_version').as('version'),
    ])
    .executeTakeFirstOrThrow();
  const { files, records, bytes, version } = row;
  return {
    files: Number(files),
    records: Number(records ?? 0),
    bytes: Number(bytes ?? 0),
    version: Number(version ?? 0),
  };
}

/** Whether a manifest of the task has this key. */
export async function isManifestKey(
  db: Kysely<Database>,
  taskId: string,
  bucket: string,
  key: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('dump_manifests')
    .select('number')
    .where('task_id', '=', taskId)
    .where('bucket', '=', bucket)
    .where('object_key', '=', key)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Where in the list of a manifest's files a page of it ended. */
export interface FilePlace {
  readonly path: string;
  readonly id: number;
}

export interface ManifestFile extends FileRow {
  readonly kind: string;
  readonly etag: string | null;
}

/** A manifest's files behind `after`, in the order in which it lists them: by path, then by the order of the rows. */
export async function selectManifestFiles(
  db: Kysely<Database>,
  key: ManifestKey,
  after: FilePlace | undefined,
  limit: number,
): Promise<ManifestFile[]> {
  let query = filesOf(db, key);
  if (after !== undefined) query = query.where(sql<boolean>`(path, id) > (${after.path}, ${after.id})`);
  return query
    .select(['id', 'path', 'partition', 'first_sequence', 'next_sequence', 'first_record', 'last_record', 'bucket'])
    .select(['object_key', 'file_name', 'records', 'bytes', 'checksum', 'etag', 'start_time', 'task_version'])
    .select(['schema_revision', 'kind'])
    .orderBy('path')
    .orderBy('id')
    .limit(limit)
    .execute();
}

export interface ManifestDeadLetters {
  readonly id: number;
  readonly bucket: string;
  readonly dead_letters: number;
  readonly dead_letter_key: string;
}

/** The dead letters, behind row `after`, of the cuts that a manifest's files were made from, merged ones included. */
export async function selectManifestDeadLetters(
  db: Kysely<Database>,
  key: ManifestKey,
  after: number,
  limit: number,
): Promise<ManifestDeadLetters[]> {
  const listed = filesOf(db, key).select(sql<number>`coalesce(plan_id, id)`.as('cut'));
  const merged = db
    .selectFrom('dump_log as input')
    .innerJoin('dump_log as merge', 'merge.id', 'input.merge_id')
    .where('merge.task_id', '=', key.task_id)
    .where('merge.period', '=', key.period)
    .where('merge.manifest', '=', key.number)
    .where('input.superseded_at', 'is not', null)
    .select(sql<number>`coalesce(input.plan_id, input.id)`.as('cut'));
  const rows = await db
    .selectFrom('dump_log')
    .where('id', 'in', listed.unionAll(merged))
    .where('dead_letters', '>', 0)
    .where('id', '>', after)
    .select(['id', 'bucket', 'dead_letters', 'dead_letter_key'])
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, dead_letter_key: row.dead_letter_key ?? '' }));
}

export async function insertManifest(db: Kysely<Database>, row: Insertable<DumpManifestsTable>): Promise<void> {
  await db.insertInto('dump_manifests').values(row).execute();
}

/** The manifests of live tasks that are planned and not stored, of one period or of all, in order. */
export async function selectUnstoredManifests(
  db: Kysely<Database>,
  of?: { readonly taskId: string; readonly period: number },
): Promise<ManifestKey[]> {
  let query = db
    .selectFrom('dump_manifests as m')
    .innerJoin('dump_tasks as t', 't.task_id', 'm.task_id')
    .where('t.deleted_at', 'is', null)
    .where('m.stored_at', 'is', null);
  if (of !== undefined) query = query.where('m.task_id', '=', of.taskId).where('m.period', '=', of.period);
  return query.select(['m.task_id', 'm.period', 'm.number']).orderBy('m.created_at').orderBy('m.number').execute();
}

export async function selectManifest(db: Kysely<Database>, key: ManifestKey): Promise<DumpManifestRow | undefined> {
  return db
    .selectFrom('dump_manifests')
    .selectAll()
    .where('task_id', '=', key.task_id)
    .where('period', '=', key.period)
    .where('number', '=', key.number)
    .executeTakeFirst();
}

/** The manifests of some periods of a task, in order. */
export async function selectManifests(
  db: Kysely<Database>,
  taskId: string,
  periods: readonly number[],
): Promise<DumpManifestRow[]> {
  if (periods.length === 0) return [];
  return db
    .selectFrom('dump_manifests')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('period', 'in', periods)
    .orderBy('period')
    .orderBy('number')
    .execute();
}

/** Writes down that a manifest is stored; one that is so already stays as it is. */
export async function setManifestStored(
  db: Kysely<Database>,
  key: ManifestKey,
  stored: Pick<Updateable<DumpManifestsTable>, 'stored_at' | 'checksum' | 'etag'>,
): Promise<void> {
  await db
    .updateTable('dump_manifests')
    .set(stored)
    .where('task_id', '=', key.task_id)
    .where('period', '=', key.period)
    .where('number', '=', key.number)
    .where('stored_at', 'is', null)
    .execute();
}

function filesOf(db: Kysely<Database>, { task_id, period, number }: ManifestKey) {
  return db
    .selectFrom('dump_log')
    .where('task_id', '=', task_id)
    .where('period', '=', period)
    .where('manifest', '=', number);
}
