/**
 * The statements about redrives: rows of dump_log of kind `redrive`, each of which takes the dead letters of the row that
 * it names as its source. They decide nothing.
 */
import { sql, type Kysely, type Selectable } from 'kysely';
import { LOG_STATE, type Database, type DumpLogTable, type LogKind } from './schema.ts';
import { indexedBy } from './sql-dialect.ts';

const REDRIVE: LogKind = 'redrive';

const SOURCE_COLUMNS = ['id', 'partition', 'first_sequence', 'next_sequence', 'dead_letters'] as const;

/** A row whose dead letters no redrive has taken. */
export type DeadRow = Pick<Selectable<DumpLogTable>, (typeof SOURCE_COLUMNS)[number]>;

/** The next rows of a task with dead letters that no redrive has taken, up to the number `last` (inclusive). */
export async function selectDeadRows(
  db: Kysely<Database>,
  taskId: string,
  last: number,
  limit: number,
): Promise<DeadRow[]> {
  return untaken(db, taskId).where('id', '<=', last).select(SOURCE_COLUMNS).orderBy('id').limit(limit).execute();
}

export interface DeadLetters {
  readonly rows: number;
  readonly records: number;
  /** Number of the newest of the rows, 0 when there is none. */
  readonly last: number;
}

/** What no redrive of the task has taken. */
export async function countDeadLetters(db: Kysely<Database>, taskId: string): Promise<DeadLetters> {
  const counted = await untaken(db, taskId)
    .select(({ fn }) => [
      fn.countAll<number>().as('rows'),
      sql<number>`coalesce(sum(dead_letters), 0)`.as('records'),
      sql<number>`coalesce(max(id), 0)`.as('last'),
    ])
    .executeTakeFirstOrThrow();
  return { rows: Number(counted.rows), records: Number(counted.records), last: Number(counted.last) };
}

/** Gives the dead letters of a row to a redrive. */
export async function takeDeadLetters(db: Kysely<Database>, sourceId: number, redriveId: number): Promise<void> {
  await db.updateTable('dump_log').set({ redriven_by: redriveId }).where('id', '=', sourceId).execute();
}

/** Takes them from that redrive again: another one may have them. */
export async function releaseDeadLetters(db: Kysely<Database>, sourceId: number, redriveId: number): Promise<void> {
  await db
    .updateTable('dump_log')
    .set({ redriven_by: null })
    .where('id', '=', sourceId)
    .where('redriven_by', '=', redriveId)
    .execute();
}

/** A planned redrive that is not done, the settings that it was planned under, and the object that it reads. */
export interface OpenRedrive {
  readonly row: Selectable<DumpLogTable>;
  /** JSON of DumpSettings. */
  readonly settings: string;
  readonly source: SourceObject;
}

export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** `sha256:<hex>`. */
  readonly checksum: string;
  /** Letters in it. */
  readonly records: number;
}

/** The planned redrives of a task behind the number `after`, in the order in which they were planned. */
export async function selectOpenRedrives(
  db: Kysely<Database>,
  taskId: string,
  after: number,
  limit: number,
): Promise<OpenRedrive[]> {
  const rows = await open(db)
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 'l.task_id').onRef('v.version', '=', 'l.task_version'),
    )
    .innerJoin('dump_log as s', 's.id', 'l.source_id')
    .where('l.task_id', '=', taskId)
    .where('l.id', '>', after)
    .selectAll('l')
    .select([
      'v.settings as plan_settings',
      's.bucket as source_bucket',
      's.dead_letter_key as source_key',
      's.dead_letter_bytes as source_bytes',
      's.dead_letter_checksum as source_checksum',
      's.dead_letters as source_records',
    ])
    .orderBy('l.id')
    .limit(limit)
    .execute();
  return rows.map(
    ({ plan_settings, source_bucket, source_key, source_bytes, source_checksum, source_records, ...row }) => ({
      row,
      settings: plan_settings,
      source: {
        bucket: source_bucket,
        key: source_key ?? '',
        bytes: source_bytes ?? 0,
        checksum: source_checksum ?? '',
        records: source_records,
      },
    }),
  );
}

/** The tasks that have planned redrives. */
export async function selectRedrivenTasks(db: Kysely<Database>): Promise<string[]> {
  const rows = await db
    .selectFrom(sql<Selectable<DumpLogTable>>`dump_log`.as<'l'>(sql`l ${indexedBy(db, 'dump_log_planned')}`))
    .where(sql<boolean>`l.state = ${sql.lit(LOG_STATE.inProgress)}`)
    .where('l.kind', '=', REDRIVE)
    .select('l.task_id')
    .distinct()
    .execute();
  return rows.map(({ task_id }) => task_id);
}

export interface OpenRedriveCount {
  readonly rows: number;
  /** Dead letters that they have taken. */
  readonly records: number;
}

export async function countOpenRedrives(db: Kysely<Database>, taskId: string): Promise<OpenRedriveCount> {
  const { rows, records } = await open(db)
    .innerJoin('dump_log as s', 's.id', 'l.source_id')
    .where('l.task_id', '=', taskId)
    .select(({ fn }) => [fn.countAll<number>().as('rows'), sql<number>`coalesce(sum(s.dead_letters), 0)`.as('records')])
    .executeTakeFirstOrThrow();
  return { rows: Number(rows), records: Number(records) };
}

/** The oldest planned redrive of a task that has failed before. */
export async function selectFailingRedrive(
  db: Kysely<Database>,
  taskId: string,
): Promise<Selectable<DumpLogTable> | undefined> {
  return open(db)
    .where('l.task_id', '=', taskId)
    .where('l.attempt', '>', 1)
    .selectAll('l')
    .orderBy('l.id')
    .limit(1)
    .executeTakeFirst();
}

/** The redrives that the deletion of their task has ended, with their settings. */
export async function selectEndedRedrives(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ readonly row: Selectable<DumpLogTable>; readonly settings: string }[]> {
  const rows = await db
    .selectFrom('dump_log as l')
    .innerJoin('dump_tasks as t', (join) =>
      join.onRef('t.task_id', '=', 'l.task_id').onRef('t.deleted_at', '=', 'l.end_time'),
    )
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 'l.task_id').onRef('v.version', '=', 'l.task_version'),
    )
    .where('l.task_id', '=', taskId)
    .where('l.kind', '=', REDRIVE)
    .where('l.state', '=', LOG_STATE.failed)
    .selectAll('l')
    .select('v.settings')
    .execute();
  return rows.map(({ settings, ...row }) => ({ row, settings }));
}

/** Records that were dead letters are in files now. */
export async function lowerDiscarded(
  db: Kysely<Database>,
  { taskId, partition, records }: { readonly taskId: string; readonly partition: number; readonly records: number },
): Promise<void> {
  await db
    .updateTable('dump_positions')
    .set({ discarded: sql<number>`discarded - ${records}`, all_dead: 0 })
    .where('task_id', '=', taskId)
    .where('partition', '=', partition)
    .execute();
}

function untaken(db: Kysely<Database>, taskId: string) {
  return (
    db
      .selectFrom(sql<Selectable<DumpLogTable>>`dump_log`.as<'l'>(sql`l ${indexedBy(db, 'dump_log_dead')}`))
      .where('task_id', '=', taskId)
      // As the partial index has it.
      .where(sql<boolean>`dead_letters > 0`)
      .where('redriven_by', 'is', null)
  );
}

function open(db: Kysely<Database>) {
  return (
    db
      .selectFrom('dump_log as l')
      // The state as a literal, since the partial index of open plans is found only so.
      .where(sql<boolean>`l.state = ${sql.lit(LOG_STATE.inProgress)}`)
      .where('l.kind', '=', REDRIVE)
  );
}
