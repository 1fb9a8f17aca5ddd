/**
 * The statements that take old rows out of the dump log. They decide nothing. A log loses its rows in the order of their
 * plans, so what is kept is all that was planned from a certain time on.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { LOG_STATE, type Database } from './schema.ts';

/** What a task waits for before it lets its oldest rows go, beside plans that are not done. */
export interface PruneRule {
  readonly taskId: string;
  /** Only rows that were planned and ended before it, in ms. */
  readonly before: number;
  readonly now: number;
  /**
   * Periods that have begun are waited for until they are complete, merged, told: those of times to come, which records may
   * claim, would hold the log for ever. Undefined for tasks that do none of it.
   */
  readonly periods: { readonly merge: boolean } | undefined;
}

export interface OldRow {
  readonly id: number;
  readonly created_at: number;
  readonly partition: number;
  /** Where the log begins when this row is gone; null for rows that are no part of what tiles the partition. */
  readonly ends: number | null;
  /** 1: something still needs it. */
  readonly needed: number;
}

/** Tasks with rows that were planned before `before` (ms). */
export async function selectTasksWithOldRows(db: Kysely<Database>, before: number) {
  return db
    .selectFrom('dump_tasks as t')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 't.task_id').onRef('v.version', '=', 't.version'),
    )
    .select(['t.task_id', 't.deleted_at', 'v.settings'])
    .where((where) =>
      where.exists(
        where
          .selectFrom('dump_log as l')
          .select('l.id')
          .whereRef('l.task_id', '=', 't.task_id')
          .where('l.created_at', '<', before),
      ),
    )
    .execute();
}

/** The oldest rows of a log that were planned before `rule.before`, in the order of their plans. */
export async function selectOldRows(db: Kysely<Database>, rule: PruneRule, limit: number): Promise<OldRow[]> {
  const { rows } = await sql<OldRow>`
    select id, created_at, partition,
      case when kind = 'delivery' and (state = ${LOG_STATE.succeeded} or given_up = 1) then next_sequence end as ends,
      case when ${needed(rule)} then 1 else 0 end as needed
    from dump_log as l
    where task_id = ${rule.taskId} and created_at < ${rule.before}
    order by created_at, id limit ${limit}`.execute(db);
  return rows;
}

/** Whether something still needs a row that was planned at `createdAt` (ms). */
export async function isPlanNeeded(db: Kysely<Database>, rule: PruneRule, createdAt: number): Promise<boolean> {
  const { rows } = await sql`
    select 1 from dump_log as l
    where task_id = ${rule.taskId} and created_at = ${createdAt} and ${needed(rule)} limit 1`.execute(db);
  return rows.length > 0;
}

function needed({ before, now, periods }: PruneRule): RawBuilder<boolean> {
  const planned = sql.lit(LOG_STATE.inProgress);
  const reasons = [
    sql`l.state = ${planned}`,
    sql`l.end_time >= ${before}`,
    sql`(l.superseded_at is not null and l.removed_at is null)`,
    sql`exists (select 1 from dump_log as m
      where m.id = l.merge_id and (m.state = ${planned} or m.end_time >= ${before}))`,
    sql`exists (select 1 from dump_log as r where r.id = l.redriven_by and r.state = ${planned})`,
  ];
  if (periods !== undefined) {
    const merging = periods.merge ? sql`or p.merged_at is null` : sql``;
    reasons.push(
      sql`exists (select 1 from dump_periods as p
        where p.task_id = l.task_id and p.period = l.period and p.period <= ${now}
          and (p.completed_at is null or p.late_since is not null ${merging}))`,
      sql`exists (select 1 from dump_manifests as m
        where m.task_id = l.task_id and m.period = l.period and m.number = l.manifest and m.stored_at is null)`,
    );
  }
  return sql`(${sql.join(reasons, sql` or `)})`;
}

export async function deleteLogRows(db: Kysely<Database>, ids: readonly number[]): Promise<void> {
  await db.deleteFrom('dump_log').where('id', 'in', ids).execute();
}

/** What is planned before `at` (ms) is not in the log any more; never goes back. */
export async function setLogBegin(db: Kysely<Database>, taskId: string, at: number): Promise<void> {
  await db
    .updateTable('dump_tasks')
    .set({ log_begin: at })
    .where('task_id', '=', taskId)
    .where((where) => where.or([where('log_begin', 'is', null), where('log_begin', '<', at)]))
    .execute();
}

/** The first record of a partition that the log still tells of; never goes back. */
export async function setStartPosition(
  db: Kysely<Database>,
  { taskId, partition, start }: { readonly taskId: string; readonly partition: number; readonly start: number },
): Promise<void> {
  await db
    .updateTable('dump_positions')
    .set({ start_position: start })
    .where('task_id', '=', taskId)
    .where('partition', '=', partition)
    .where((where) => where.or([where('start_position', 'is', null), where('start_position', '<', start)]))
    .execute();
}

/** Tasks deleted before `before` (ms) whose log is empty. */
export async function selectForgettableTasks(db: Kysely<Database>, before: number): Promise<string[]> {
  const rows = await db
    .selectFrom('dump_tasks')
    .select('task_id')
    .where('deleted_at', '<', before)
    .where('log_rows', '=', 0)
    .execute();
  return rows.map(({ task_id }) => task_id);
}

const OF_TASKS = [
  'dump_log_ranks',
  'dump_manifests',
  'dump_periods',
  'dump_schemas',
  'dump_positions',
  'dump_task_versions',
  'dump_tasks',
] as const;

/** Removes everything that is known of a task but its log. */
export async function forgetTask(db: Kysely<Database>, taskId: string): Promise<void> {
  for (const table of OF_TASKS) await db.deleteFrom(table).where('task_id', '=', taskId).execute();
}
