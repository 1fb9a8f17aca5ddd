/**
 * The statements about dump_log_ranks: separators that tell how far into an order of a task's log a key is. They decide
 * nothing. Triggers keep the rows of every separator exact in each transaction that changes the log; what is done here
 * only makes them finer or coarser, and is exact too. A log without separators is paged by counting.
 */
import { sql, type ExpressionBuilder, type Kysely, type RawBuilder } from 'kysely';
import { LOG_SORT_COLUMNS, type LogSortColumn } from './dump-log-pages.ts';
import type { Database } from './schema.ts';

/** Leaves count rows of the log; a group counts those of its leaves, the first of which has the same key. */
export const RANK_LEVEL = { leaf: 0, group: 1 } as const;
export type RankLevel = (typeof RANK_LEVEL)[keyof typeof RANK_LEVEL];

/** One order of one task's log. */
export interface RankedOrder {
  readonly taskId: string;
  readonly sort: LogSortColumn;
}

/** A place in an order. */
export interface RankKey {
  readonly value: number;
  /** The row of the log: it tells equal values apart. */
  readonly id: number;
}

export interface Rank extends RankKey {
  /** Rows of the log from this key on and before the next one of the level. */
  readonly rows: number;
}

/** Before every row. */
export const FIRST_KEY: RankKey = { value: -1, id: 0 };

/** Tasks whose logs have more than `rows` rows and no separators. */
export async function selectUnranked(db: Kysely<Database>, rows: number): Promise<string[]> {
  const tasks = await db
    .selectFrom('dump_tasks as t')
    .select('t.task_id')
    .where('t.log_rows', '>', rows)
    .where((where) => where.not(where.exists(ranksOfTask(where))))
    .execute();
  return tasks.map(({ task_id }) => task_id);
}

/** The tasks whose logs have separators. */
export async function selectRankedTasks(db: Kysely<Database>): Promise<string[]> {
  const tasks = await db
    .selectFrom('dump_tasks as t')
    .select('t.task_id')
    .where((where) => where.exists(ranksOfTask(where)))
    .execute();
  return tasks.map(({ task_id }) => task_id);
}

function ranksOfTask(where: ExpressionBuilder<Database & { t: Database['dump_tasks'] }, 't'>) {
  return where.selectFrom('dump_log_ranks as r').select('r.id').whereRef('r.task_id', '=', 't.task_id');
}

/** Gives each order of a log its first separators, which count the whole of it. */
export async function insertFirstRanks(db: Kysely<Database>, taskId: string): Promise<void> {
  const { rows } = await db
    .selectFrom('dump_log')
    .where('task_id', '=', taskId)
    .select(({ fn }) => fn.countAll().as('rows'))
    .executeTakeFirstOrThrow();
  const first = LOG_SORT_COLUMNS.flatMap((sort) =>
    Object.values(RANK_LEVEL).map((level) => ({ task_id: taskId, sort, level, ...FIRST_KEY, rows: Number(rows) })),
  );
  await db
    .insertInto('dump_log_ranks')
    .values(first)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Separators of one level with fewer than `min` or more than `max` rows. */
export async function selectUneven(
  db: Kysely<Database>,
  order: RankedOrder,
  level: RankLevel,
  { min, max }: { readonly min: number; readonly max: number },
): Promise<Rank[]> {
  return ranks(db, order, level)
    .where((where) => where.or([where('rows', '<', min), where('rows', '>', max)]))
    .orderBy('value')
    .orderBy('id')
    .execute();
}

/** Up to `limit` separators from `key` on, `key` itself among them. */
export async function selectRanksFrom(
  db: Kysely<Database>,
  order: RankedOrder,
  level: RankLevel,
  key: RankKey,
  limit: number,
): Promise<Rank[]> {
  return ranks(db, order, level)
    .where(sql<boolean>`(value, id) >= (${key.value}, ${key.id})`)
    .orderBy('value')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The separator before `key`. */
export async function selectRankBefore(
  db: Kysely<Database>,
  order: RankedOrder,
  level: RankLevel,
  key: RankKey,
): Promise<Rank | undefined> {
  return ranks(db, order, level)
    .where(sql<boolean>`(value, id) < (${key.value}, ${key.id})`)
    .orderBy('value', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The key of the log's row that comes `offset` rows after `from`; undefined when there are not so many. */
export async function selectKeyAfter(
  db: Kysely<Database>,
  { taskId, sort }: RankedOrder,
  from: RankKey,
  offset: number,
): Promise<RankKey | undefined> {
  const key = sql.ref(sort);
  // In two halves, which an index gives in order: SQLite compares (key, id) by the key alone.
  const { rows } = await sql<RankKey>`
    select ${key} as value, id from dump_log
    where task_id = ${taskId} and ${key} = ${from.value} and id >= ${from.id}
    union all
    select ${key} as value, id from dump_log where task_id = ${taskId} and ${key} > ${from.value}
    order by 1, 2 limit 1 offset ${offset}`.execute(db);
  return rows[0];
}

/** Values from `from` on, before `to`. */
export interface ValueRange {
  readonly from: number;
  readonly to: number;
}

/** Rows of the log whose value is in one of `ranges`, of one moment. Exact with or without separators, and quick with them. */
export async function countRanked(
  db: Kysely<Database>,
  order: RankedOrder,
  ranges: readonly ValueRange[],
): Promise<number> {
  const counts = ranges.map(
    ({ from, to }) => sql`(${rowsBefore(order, to)} - ${rowsBefore(order, Math.min(from, to))})`,
  );
  const { rows } = await sql<{ rows: number }>`select ${sql.join(counts, sql` + `)} as rows`.execute(db);
  return Number(rows[0]!.rows);
}

/** Whole groups, whole leaves of the next group, and what is counted in the next leaf. */
function rowsBefore({ taskId, sort }: RankedOrder, value: number): RawBuilder<number> {
  const key = sql.ref(sort);
  const level = (number: RankLevel) => sql`task_id = ${taskId} and sort = ${sort} and level = ${sql.lit(number)}`;
  const last = (number: RankLevel) =>
    sql`select value, id from dump_log_ranks where ${level(number)} and value < ${value}
      order by value desc, id desc limit 1`;
  const { leaf, group } = RANK_LEVEL;
  return sql`(
    with grp as (${last(group)}), leaf as (${last(leaf)})
    select
      coalesce((select sum(rows) from dump_log_ranks where ${level(group)} and (value, id) < (select value, id from grp)), 0)
      + coalesce((select sum(rows) from dump_log_ranks where ${level(leaf)}
          and (value, id) >= (select value, id from grp) and (value, id) < (select value, id from leaf)), 0)
      + (select count(*) from dump_log where task_id = ${taskId} and ${key} = (select value from leaf)
          and id >= (select id from leaf))
      + (select count(*) from dump_log where task_id = ${taskId}
          and ${key} > coalesce((select value from leaf), -1) and ${key} < ${value}))`;
}

export async function insertRank(db: Kysely<Database>, order: RankedOrder, level: RankLevel, rank: Rank) {
  const { taskId, sort } = order;
  const { value, id, rows } = rank;
  await db.insertInto('dump_log_ranks').values({ task_id: taskId, sort, level, value, id, rows }).execute();
}

export async function setRankRows(db: Kysely<Database>, order: RankedOrder, level: RankLevel, rank: Rank) {
  await db
    .updateTable('dump_log_ranks')
    .set({ rows: rank.rows })
    .where('task_id', '=', order.taskId)
    .where('sort', '=', order.sort)
    .where('level', '=', level)
    .where('value', '=', rank.value)
    .where('id', '=', rank.id)
    .execute();
}

export async function deleteRank(db: Kysely<Database>, order: RankedOrder, level: RankLevel, key: RankKey) {
  await db
    .deleteFrom('dump_log_ranks')
    .where('task_id', '=', order.taskId)
    .where('sort', '=', order.sort)
    .where('level', '=', level)
    .where('value', '=', key.value)
    .where('id', '=', key.id)
    .execute();
}

function ranks(db: Kysely<Database>, { taskId, sort }: RankedOrder, level: RankLevel) {
  return db
    .selectFrom('dump_log_ranks')
    .select(['value', 'id', 'rows'])
    .where('task_id', '=', taskId)
    .where('sort', '=', sort)
    .where('level', '=', level);
}
