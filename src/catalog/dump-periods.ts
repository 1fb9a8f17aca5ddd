/** The statements about the stretches of time that a task's directories stand for. They decide nothing. */
import { sql, type Kysely, type Selectable } from 'kysely';
import { LOG_STATE, type Database, type DumpPeriodsTable } from './schema.ts';

export type DumpPeriodRow = Selectable<DumpPeriodsTable>;

/**
 * Takes in periods that a task has new files in; `start` and `end` (exclusive) in ms. One that is there already ends no
 * earlier than before. If it ends later now, which is what wider directories bring, it is open again; else it is late from
 * `now` on if it is complete and has a manifest.
 */
export async function touchPeriods(
  db: Kysely<Database>,
  taskId: string,
  periods: readonly { readonly start: number; readonly end: number }[],
  now: number,
): Promise<void> {
  for (let from = 0; from < periods.length; from += PERIODS_PER_STATEMENT) {
    await db
      .insertInto('dump_periods')
      .values(periods.slice(from, from + PERIODS_PER_STATEMENT).map(({ start, end }) => newPeriod(taskId, start, end)))
      .onConflict((conflict) =>
        conflict
          .columns(['task_id', 'period'])
          .doUpdateSet({
            ends_at: sql<number>`case when ${LONGER} then excluded.ends_at else dump_periods.ends_at end`,
            completed_at: sql<number>`case when ${LONGER} then null else dump_periods.completed_at end`,
            merged_at: sql<number>`case when ${LONGER} then null else dump_periods.merged_at end`,
            late_since: sql<number>`case when ${LONGER} then null when ${NEWLY_LATE} then ${now} else dump_periods.late_since end`,
          })
          .where(sql<boolean>`${LONGER} or ${NEWLY_LATE}`),
      )
      .execute();
  }
}

const PERIODS_PER_STATEMENT = 500;
const LONGER = sql<boolean>`excluded.ends_at > dump_periods.ends_at`;
const NEWLY_LATE = sql<boolean>`(dump_periods.manifests > 0 and dump_periods.late_since is null and dump_periods.completed_at is not null)`;

function newPeriod(taskId: string, start: number, end: number): DumpPeriodRow {
  return {
    task_id: taskId,
    period: start,
    ends_at: end,
    completed_at: null,
    merged_at: null,
    manifests: 0,
    late_since: null,
  };
}

/** When the first open period of each task that has one ends, in ms. */
export async function selectFirstOpenEnds(
  db: Kysely<Database>,
): Promise<{ readonly task_id: string; readonly ends_at: number }[]> {
  const rows = await db
    .selectFrom('dump_periods')
    .where('completed_at', 'is', null)
    .groupBy('task_id')
    .select(['task_id', ({ fn }) => fn.min('ends_at').as('ends_at')])
    .execute();
  return rows.map(({ task_id, ends_at }) => ({ task_id, ends_at: Number(ends_at) }));
}

/** The open periods of a task that end at or before `until` (ms), the first to end first. */
export async function selectOpenPeriods(
  db: Kysely<Database>,
  taskId: string,
  until: number,
  limit: number,
): Promise<DumpPeriodRow[]> {
  return db
    .selectFrom('dump_periods')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('completed_at', 'is', null)
    .where('ends_at', '<=', until)
    .orderBy('ends_at')
    .limit(limit)
    .execute();
}

/** Completes all open periods of a task that end at or before `until` (ms). */
export async function completePeriods(db: Kysely<Database>, taskId: string, until: number, at: number): Promise<void> {
  await db
    .updateTable('dump_periods')
    .set({ completed_at: at })
    .where('task_id', '=', taskId)
    .where('completed_at', 'is', null)
    .where('ends_at', '<=', until)
    .execute();
}

/** False, with nothing changed, when the period is complete already. */
export async function completePeriod(
  db: Kysely<Database>,
  taskId: string,
  period: number,
  at: number,
): Promise<boolean> {
  const { numUpdatedRows } = await ofPeriod(db, taskId, period)
    .set({ completed_at: at })
    .where('completed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** One that was merged before stays as it is. */
export async function setPeriodMerged(db: Kysely<Database>, taskId: string, period: number, at: number): Promise<void> {
  await ofPeriod(db, taskId, period).set({ merged_at: at }).where('merged_at', 'is', null).execute();
}

/** Counts a manifest that lists all that the period has by now. */
export async function setPeriodTold(
  db: Kysely<Database>,
  taskId: string,
  period: number,
  manifests: number,
): Promise<void> {
  await ofPeriod(db, taskId, period).set({ manifests, late_since: null }).execute();
}

/** Periods with files that no manifest lists, though they have one, for longer than since `until` (ms). */
export async function selectLatePeriods(db: Kysely<Database>, until: number): Promise<DumpPeriodRow[]> {
  return db
    .selectFrom('dump_periods')
    .selectAll()
    .where('late_since', 'is not', null)
    .where('late_since', '<=', until)
    .orderBy('late_since')
    .execute();
}

export async function selectPeriod(
  db: Kysely<Database>,
  taskId: string,
  period: number,
): Promise<DumpPeriodRow | undefined> {
  return db
    .selectFrom('dump_periods')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('period', '=', period)
    .executeTakeFirst();
}

/** What a task's files of a period come to; superseded ones do not count. */
export interface PeriodSums {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
}

export interface PeriodWithSums extends DumpPeriodRow, PeriodSums {}

/** Periods of a task that start in [from, to) (ms), the newest first. */
export async function selectPeriodPage(
  db: Kysely<Database>,
  taskId: string,
  range: { readonly from: number; readonly to: number },
  limit: number,
): Promise<PeriodWithSums[]> {
  const rows = await db
    .selectFrom('dump_periods')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('period', '>=', range.from)
    .where('period', '<', range.to)
    .orderBy('period', 'desc')
    .limit(limit)
    .execute();
  if (rows.length === 0) return [];
  const sums = await db
    .selectFrom('dump_log')
    .where('task_id', '=', taskId)
    .where(
      'period',
      'in',
      rows.map(({ period }) => period),
    )
    .where('state', '=', LOG_STATE.succeeded)
    .where('superseded_at', 'is', null)
    .where('object_key', '<>', '')
    .groupBy('period')
    .select(['period', ({ fn }) => fn.countAll().as('files')])
    .select(({ fn }) => [fn.sum('records').as('records'), fn.sum('bytes').as('bytes')])
    .execute();
  const byPeriod = new Map(sums.map((row) => [row.period, row]));
  return rows.map((row) => {
    const { files, records, bytes } = byPeriod.get(row.period) ?? { files: 0, records: 0, bytes: 0 };
    return { ...row, files: Number(files), records: Number(records), bytes: Number(bytes) };
  });
}

function ofPeriod(db: Kysely<Database>, taskId: string, period: number) {
  return db.updateTable('dump_periods').where('task_id', '=', taskId).where('period', '=', period);
}
