/** The statements about the stretches of time that a task's directories stand for. They decide nothing. */
import type { Kysely, Selectable } from 'kysely';
import type { Database, DumpPeriodsTable } from './schema.ts';

export type DumpPeriodRow = Selectable<DumpPeriodsTable>;

/** Adds those periods that the task does not have yet; `start` and `end` (exclusive) in ms. */
export async function insertPeriods(
  db: Kysely<Database>,
  taskId: string,
  periods: readonly { readonly start: number; readonly end: number }[],
): Promise<void> {
  await db
    .insertInto('dump_periods')
    .values(
      periods.map(({ start, end }) => ({
        task_id: taskId,
        period: start,
        ends_at: end,
        completed_at: null,
        merged_at: null,
        manifests: 0,
      })),
    )
    .onConflict((conflict) => conflict.columns(['task_id', 'period']).doNothing())
    .execute();
}
