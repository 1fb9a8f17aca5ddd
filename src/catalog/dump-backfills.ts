/** The statements about backfills: tasks of kind `backfill` of a parent. They decide nothing; a cancelled one is deleted. */
import { sql, type Kysely } from 'kysely';
import type { DumpTaskRow, DumpTaskWithSettings } from './dump-tasks.ts';
import type { Database, TaskKind } from './schema.ts';

const BACKFILL: TaskKind = 'backfill';

/** A backfill of a list, with its sums over the partitions. */
export interface BackfillRow extends DumpTaskRow {
  /** Records between where it begins, as far as the log is kept, and where it ends. */
  readonly records: number;
  readonly records_left: number;
  readonly discarded: number;
  readonly last_transfer_at: number | null;
}

/** Backfills of a task, those in the state `without` left out. */
export async function countBackfills(db: Kysely<Database>, parentId: string, without?: string): Promise<number> {
  let query = ofTask(db, parentId);
  if (without !== undefined) query = query.where('t.state', '!=', without);
  const { count } = await query.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  return Number(count);
}

/** Up to `limit` backfills of a task, the newest first, made before `before` (exclusive; undefined begins at the newest). */
export async function selectBackfillPage(
  db: Kysely<Database>,
  parentId: string,
  before: DumpTaskRow | undefined,
  limit: number,
): Promise<BackfillRow[]> {
  const sum = (of: string) => sql<number>`coalesce(sum(${sql.raw(of)}), 0)`;
  let query = ofTask(db, parentId)
    .innerJoin('dump_positions as p', 'p.task_id', 't.task_id')
    .selectAll('t')
    .select(({ fn }) => [
      sum('p.end_position - p.start_position').as('records'),
      sum('p.end_position - p.position').as('records_left'),
      sum('p.discarded').as('discarded'),
      fn.max('p.last_transfer_at').as('last_transfer_at'),
    ])
    .groupBy('t.task_id');
  if (before !== undefined) {
    const { created_at, task_id } = before;
    query = query.where((where) =>
      where.or([
        where('t.created_at', '<', created_at),
        where.and([where('t.created_at', '=', created_at), where('t.task_id', '<', task_id)]),
      ]),
    );
  }
  return query.orderBy('t.created_at', 'desc').orderBy('t.task_id', 'desc').limit(limit).execute();
}

/** A backfill that is not deleted. */
export async function selectBackfill(
  db: Kysely<Database>,
  parentId: string,
  id: string,
): Promise<DumpTaskWithSettings | undefined> {
  return ofTask(db, parentId)
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 't.task_id').onRef('v.version', '=', 't.version'),
    )
    .selectAll('t')
    .select('v.settings')
    .where('t.task_id', '=', id)
    .executeTakeFirst();
}

function ofTask(db: Kysely<Database>, parentId: string) {
  return db
    .selectFrom('dump_tasks as t')
    .where('t.parent_id', '=', parentId)
    .where('t.kind', '=', BACKFILL)
    .where('t.deleted_at', 'is', null);
}
