/** The statements about dump positions: how far each (task, partition) has got. They decide nothing. */
import { sql, type Insertable, type Kysely, type Selectable } from 'kysely';
import { LOG_STATE, type Database, type DumpPositionsTable } from './schema.ts';

export type DumpPositionRow = Selectable<DumpPositionsTable>;

export async function insertPositions(db: Kysely<Database>, rows: Insertable<DumpPositionsTable>[]): Promise<void> {
  await db.insertInto('dump_positions').values(rows).execute();
}

/** Adds those rows whose (task, partition) has none; others stay what they are. */
export async function insertMissingPositions(
  db: Kysely<Database>,
  rows: Insertable<DumpPositionsTable>[],
): Promise<void> {
  await db
    .insertInto('dump_positions')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['task_id', 'partition']).doNothing())
    .execute();
}

/** The positions of some tasks, each task's by partition. */
export async function selectPositions(db: Kysely<Database>, taskIds: readonly string[]): Promise<DumpPositionRow[]> {
  if (taskIds.length === 0) return [];
  return db
    .selectFrom('dump_positions')
    .selectAll()
    .where('task_id', 'in', taskIds)
    .orderBy('task_id')
    .orderBy('partition')
    .execute();
}

/** The positions of every task that is not deleted, backfills included. */
export async function selectLivePositions(db: Kysely<Database>): Promise<DumpPositionRow[]> {
  return db
    .selectFrom('dump_positions as p')
    .innerJoin('dump_tasks as t', 't.task_id', 'p.task_id')
    .where('t.deleted_at', 'is', null)
    .selectAll('p')
    .orderBy('p.task_id')
    .orderBy('p.partition')
    .execute();
}

/** The time of the newest name of each partition, of some tasks. */
export async function selectNameTimes(
  db: Kysely<Database>,
  taskIds: readonly string[],
): Promise<Map<string, Map<number, number>>> {
  const times = new Map<string, Map<number, number>>(taskIds.map((id) => [id, new Map()]));
  if (taskIds.length === 0) return times;
  const rows = await db
    .selectFrom('dump_positions')
    .select(['task_id', 'partition', 'last_name_time'])
    .where('task_id', 'in', taskIds)
    .execute();
  for (const { task_id, partition, last_name_time } of rows) times.get(task_id)!.set(partition, last_name_time);
  return times;
}

/** Sets last_name_time of rows that are there, many in one statement; their other values are not written. */
export async function setNameTimes(db: Kysely<Database>, rows: Insertable<DumpPositionsTable>[]): Promise<void> {
  await db
    .insertInto('dump_positions')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['task_id', 'partition'])
        .doUpdateSet((update) => ({ last_name_time: update.ref('excluded.last_name_time') })),
    )
    .execute();
}

/** Notes that the log warns of the record at a position. False when the position is another one, or has been warned of. */
export async function markWarned(
  db: Kysely<Database>,
  { taskId, partition, position }: { readonly taskId: string; readonly partition: number; readonly position: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('dump_positions')
    .set({ warned_position: position })
    .where('task_id', '=', taskId)
    .where('partition', '=', partition)
    .where('position', '=', position)
    .where('warned_position', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function clearWarnings(
  db: Kysely<Database>,
  taskId: string,
  partitions: readonly number[],
): Promise<void> {
  await db
    .updateTable('dump_positions')
    .set({ warned_position: null })
    .where('task_id', '=', taskId)
    .where('partition', 'in', partitions)
    .execute();
}

export interface PositionMove {
  readonly taskId: string;
  readonly partition: number;
  /** The row of dump_log whose end moves the position: it must still be in state 2. */
  readonly planId: number;
  /** Where the position must be, and where it goes. */
  readonly from: number;
  readonly to: number;
  readonly waitingSince: number;
  readonly lastTransferAt: number | null;
  /** Records that are in no file, beyond those of before. */
  readonly discarded: number;
  /** Whether the cut has no file but dead letters. */
  readonly allDead: boolean;
}

/** Moves a position past a file. False, with nothing changed, when the position or the plan is not what it should be. */
export async function movePosition(db: Kysely<Database>, move: PositionMove): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('dump_positions')
    .set({
      position: move.to,
      waiting_since: move.waitingSince,
      last_transfer_at: move.lastTransferAt,
      // Added here: a redrive lowers it.
      discarded: sql<number>`discarded + ${move.discarded}`,
      all_dead: move.allDead ? 1 : 0,
    })
    .where('task_id', '=', move.taskId)
    .where('partition', '=', move.partition)
    .where('position', '=', move.from)
    .where((where) =>
      where.exists(
        where
          .selectFrom('dump_log')
          .select('id')
          .where('id', '=', move.planId)
          .where('state', '=', LOG_STATE.inProgress),
      ),
    )
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
