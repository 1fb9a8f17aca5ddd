/**
 * Pages of a task's dump log, in every order. Rows with equal keys are in the order in which they were made, or in the
 * reverse of it. Each page is one statement, so it is of one moment, and the numbers of its rows come from an index alone.
 *
 * Near an end of the log the index is walked from that end. Farther away it is entered at a separator of dump_log_ranks,
 * whose distance from the beginning is known (dump-log-ranks.ts), so that a page in the middle costs what the first one does.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { DumpLogRow } from './dump-log.ts';
import type { Database } from './schema.ts';

export const LOG_SORT_COLUMNS = [
  'created_at',
  'start_time',
  'end_time',
  'state',
  'records',
  'read_records',
  'bytes',
] as const;
export type LogSortColumn = (typeof LOG_SORT_COLUMNS)[number];

export interface LogPageRequest {
  readonly taskId: string;
  readonly column: LogSortColumn;
  readonly descending: boolean;
  /** Rows before the page, in its order. */
  readonly offset: number;
  readonly size: number;
  /** How the page is found: by counting from its own first row or from the last one, or by separators. All find the same. */
  readonly by: 'start' | 'end' | 'ranks';
}

export interface LogPageRow extends DumpLogRow {
  /** Rows of the whole log at the moment of the page. */
  readonly total: number;
}

/** Most separators of one level that are added up; those of a group are fewer when it is not far out of shape. */
const LEAVES_PER_GROUP = 128;

export async function selectLogPage(db: Kysely<Database>, page: LogPageRequest): Promise<LogPageRow[]> {
  const { column, descending } = page;
  const order = sql.raw(descending ? 'desc' : 'asc');
  const { rows } = await sql<LogPageRow>`
    select l.*, ${totalOf(page)} as total
    from (${page.by === 'ranks' ? idsByRanks(page) : idsByOffset(page)}) as page
    join dump_log as l on l.id = page.id
    order by l.${sql.ref(column)} ${order}, l.id ${order}`.execute(db);
  return rows;
}

function totalOf({ taskId }: LogPageRequest): RawBuilder<number> {
  return sql`(select log_rows from dump_tasks where task_id = ${taskId})`;
}

function idsByOffset(page: LogPageRequest): RawBuilder<{ id: number }> {
  const { taskId, column, descending, by } = page;
  const scanned = sql.raw((by === 'end') === descending ? 'asc' : 'desc');
  const { skip, size } = by === 'end' ? fromOtherEnd(page) : { skip: page.offset, size: page.size };
  return sql`select id from dump_log where task_id = ${taskId}
    order by ${sql.ref(column)} ${scanned}, id ${scanned} limit ${size} offset ${skip}`;
}

/** Always from the smallest key on: that is how the separators count. */
function idsByRanks(page: LogPageRequest): RawBuilder<{ id: number }> {
  const { taskId, column } = page;
  const key = sql.ref(column);
  const { skip, size } = page.descending ? fromOtherEnd(page) : { skip: page.offset, size: page.size };
  const level = (number: 0 | 1) => sql`task_id = ${taskId} and sort = ${column} and level = ${sql.lit(number)}`;
  // Separators before which there are no more rows than are to be skipped; the last of them is the nearest.
  const nearest = sql`before <= (select skip from wanted) order by before desc, value desc, id desc limit 1`;
  return sql`
    with wanted(skip, size) as (select cast(${skip} as bigint), cast(${size} as bigint)),
    grp as (
      select value, id, before
      from (select value, id, sum(rows) over (order by value, id) - rows as before from dump_log_ranks where ${level(1)}) as g
      where ${nearest}),
    leaf as (
      select value, id, before
      from (
        select value, id, (select before from grp) + sum(rows) over (order by value, id) - rows as before
        from (
          select value, id, rows from dump_log_ranks
          where ${level(0)} and (value, id) >= (select value, id from grp)
          order by value, id limit ${sql.lit(LEAVES_PER_GROUP)}) as r) as s
      where ${nearest})
    select id from (
      select ${key} as value, id from dump_log
      where task_id = ${taskId} and ${key} = (select value from leaf) and id >= (select id from leaf)
      union all
      select ${key} as value, id from dump_log
      where task_id = ${taskId} and ${key} > coalesce((select value from leaf), -1)
      order by 1, 2
      limit (select size from wanted) offset (select skip from wanted) - coalesce((select before from leaf), 0)) as found`;
}

/** The same rows counted from behind; the last page is as short as it is from the front. */
function fromOtherEnd(page: LogPageRequest): { skip: RawBuilder<number>; size: RawBuilder<number> } {
  const behind = sql<number>`${totalOf(page)} - ${page.offset} - ${page.size}`;
  return {
    skip: sql`case when ${behind} < 0 then 0 else ${behind} end`,
    // The log may have become shorter than the offset: a negative limit would be none.
    size: sql`case when ${behind} < ${-page.size} then 0 when ${behind} < 0 then ${page.size} + (${behind}) else ${page.size} end`,
  };
}
