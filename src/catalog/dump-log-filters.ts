/**
 * Filtered reads of a task's dump log: pages, counts, and walks through everything that fits. The counts are exact, so
 * their cost is that of looking at what the filter's index leaves: nothing to speak of for states alone, a time alone, failed
 * rows, other kinds, file names and dead letters; an entry of dump_log_created_at for each row of the log, or of the time
 * asked for, for the rest. A walk goes in the order of the plans and begins each of its pages behind the last row of the one before.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { DumpLogRow } from './dump-log.ts';
import type { CutMark } from './dump-log-walk.ts';
import type { LogPageRequest, LogSortColumn } from './dump-log-pages.ts';
import { countRanked, type ValueRange } from './dump-log-ranks.ts';
import { LOG_STATE, type Database, type LogKind } from './schema.ts';
import { indexedBy } from './sql-dialect.ts';

/** What a row must have; what is undefined is not asked of it. Lists are not empty. */
export interface LogFilter {
  readonly states?: readonly number[] | undefined;
  readonly kinds?: readonly LogKind[] | undefined;
  readonly partition?: number | undefined;
  /** Time of the plan in ms: inclusive, exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly fileName?: { readonly text: string; readonly prefix: boolean } | undefined;
  /** Whether it has dead letters. */
  readonly deadLetters?: boolean | undefined;
}

export interface FilteredLog {
  readonly taskId: string;
  readonly filter: LogFilter;
}

/** Behind every text that begins with a prefix: the largest character there is. */
const LAST_CHARACTER = '\u{10ffff}';

export async function countFiltered(db: Kysely<Database>, log: FilteredLog): Promise<number> {
  const ranges = rangesOf(log.filter);
  if (ranges !== undefined) return countRanked(db, { taskId: log.taskId, sort: ranges.sort }, ranges.ranges);
  const { rows } = await sql<{ rows: number }>`
    select count(*) as rows from ${logBy(db, indexOf(log.filter))} where ${conditions(log)}`.execute(db);
  return Number(rows[0]!.rows);
}

/** A page of the rows that fit, found by counting from the first of them. */
export async function selectFilteredPage(
  db: Kysely<Database>,
  { filter, ...page }: FilteredLog & Omit<LogPageRequest, 'by'>,
): Promise<DumpLogRow[]> {
  const { column, descending, offset, size } = page;
  const order = sql.raw(descending ? 'desc' : 'asc');
  const { rows } = await sql<DumpLogRow>`
    select l.* from (
      select id from ${logBy(db, indexOf(filter))} where ${conditions({ filter, taskId: page.taskId })}
      order by ${sql.ref(column)} ${order}, id ${order} limit ${size} offset ${offset}) as page
    join dump_log as l on l.id = page.id
    order by l.${sql.ref(column)} ${order}, l.id ${order}`.execute(db);
  return rows;
}

/** The next rows that fit, by time of their plan; `after` undefined: the first ones. */
export async function selectFilteredAfter(
  db: Kysely<Database>,
  log: FilteredLog,
  after: CutMark | undefined,
  limit: number,
): Promise<DumpLogRow[]> {
  const behind =
    after === undefined
      ? sql`true`
      : sql`created_at >= ${after.created_at} and (created_at > ${after.created_at} or id > ${after.id})`;
  const { rows } = await sql<DumpLogRow>`
    select * from ${logBy(db, walkIndexOf(log.filter))} where ${conditions(log)} and ${behind}
    order by created_at, id limit ${limit}`.execute(db);
  return rows;
}

/** What a filter comes to that asks for one time or for states, and for nothing else: counted without being looked at. */
function rangesOf(filter: LogFilter): { readonly sort: LogSortColumn; readonly ranges: ValueRange[] } | undefined {
  const asked = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const { states, from = 0, to = Number.MAX_SAFE_INTEGER } = filter;
  if (asked.every((name) => name === 'from' || name === 'to')) return { sort: 'created_at', ranges: [{ from, to }] };
  if (states === undefined || asked.length > 1) return undefined;
  return { sort: 'state', ranges: states.map((state) => ({ from: state, to: state + 1 })) };
}

function logBy(db: Kysely<Database>, index: string): RawBuilder<unknown> {
  return sql`dump_log ${indexedBy(db, index)}`;
}

/** The index that leaves the fewest rows, as far as that can be told from the filter alone. */
function indexOf(filter: LogFilter): string {
  if (filter.fileName !== undefined) return 'dump_log_file_name';
  if (filter.deadLetters === true) return 'dump_log_dead_letters';
  if (filter.kinds !== undefined && !filter.kinds.includes('delivery')) return 'dump_log_kind';
  return indexOfState(filter) ?? (filter.partition === undefined ? 'dump_log_created_at' : 'dump_log_partition');
}

/** The same among those that have the rows in the order of the plans, unless there is next to nothing to sort. */
function walkIndexOf(filter: LogFilter): string {
  const { fileName, kinds, ...others } = filter;
  if (fileName !== undefined && !fileName.prefix) return 'dump_log_file_name';
  return indexOf(kinds?.length === 1 ? { kinds, ...others } : others);
}

function indexOfState({ states }: LogFilter): string | undefined {
  if (states?.length !== 1) return undefined;
  if (states[0] === LOG_STATE.inProgress) return 'dump_log_planned';
  return states[0] === LOG_STATE.failed ? 'dump_log_failed' : undefined;
}

/** Values that indexes are made for are literals: only so does SQLite see that a row of the index is all it needs. */
function conditions({ taskId, filter }: FilteredLog): RawBuilder<boolean> {
  const { states, kinds, partition, from, to, fileName, deadLetters } = filter;
  const all: RawBuilder<unknown>[] = [sql`task_id = ${taskId}`];
  if (states !== undefined) all.push(oneOf('state', states));
  if (kinds !== undefined) {
    all.push(oneOf('kind', kinds));
    if (!kinds.includes('delivery')) all.push(sql`kind <> 'delivery'`);
  }
  if (partition !== undefined) all.push(sql`partition = ${partition}`);
  if (from !== undefined) all.push(sql`created_at >= ${from}`);
  if (to !== undefined) all.push(sql`created_at < ${to}`);
  if (fileName?.prefix === false) all.push(sql`file_name = ${fileName.text}`);
  if (fileName?.prefix === true) {
    all.push(sql`file_name >= ${fileName.text} and file_name < ${fileName.text + LAST_CHARACTER}`);
  }
  if (deadLetters !== undefined) all.push(deadLetters ? sql`dead_letters > 0` : sql`dead_letters = 0`);
  return sql.join<boolean>(all, sql` and `);
}

function oneOf(column: 'state' | 'kind', values: readonly (string | number)[]): RawBuilder<unknown> {
  const [first, ...others] = values.map((value) => sql.lit(value));
  if (others.length === 0) return sql`${sql.ref(column)} = ${first}`;
  return sql`${sql.ref(column)} in (${sql.join([first, ...others])})`;
}
