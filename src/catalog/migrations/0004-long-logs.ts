/** What keeps a dump log of millions of rows quick to read: see ../schema.ts for the columns. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { orderByCodePoints } from '../order-by-code-points.ts';
import type { SqlDialect } from '../sql-dialect.ts';

/** The columns by which the log can be sorted: all non-negative whole numbers. */
const SORTS = ['created_at', 'start_time', 'end_time', 'state', 'records', 'read_records', 'bytes'] as const;
const LEVELS = [0, 1] as const;

export function longLogs(dialect: SqlDialect): Migration {
  return { up: (db) => up(db as Kysely<unknown>, dialect) };
}

async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  const { schema } = db;

  await schema.alterTable('dump_tasks').addColumn('log_begin', 'bigint').execute();
  // Holds all that a filter or an order looks at, so that a filtered page reads no rows but its own.
  await schema.dropIndex('dump_log_created_at').execute();
  await schema
    .createIndex('dump_log_created_at')
    .on('dump_log')
    .columns(['task_id', 'created_at', 'id', 'state', 'kind', 'partition', 'dead_letters'])
    .columns(['start_time', 'end_time', 'records', 'read_records', 'bytes'])
    .execute();
  await schema
    .createIndex('dump_log_partition')
    .on('dump_log')
    .columns(['task_id', 'partition', 'created_at', 'id'])
    .execute();
  await sql`create index dump_log_failed on dump_log (task_id, created_at, id, partition, kind, dead_letters)
    where state = 1`.execute(db);
  await sql`create index dump_log_kind on dump_log (task_id, kind, created_at, id) where kind <> 'delivery'`.execute(
    db,
  );
  await sql`create index dump_log_dead_letters on dump_log (task_id, created_at, id) where dead_letters > 0`.execute(
    db,
  );

  // The key is the table: what a page reads of it is one range.
  const withoutRowId = sql.raw(dialect === 'sqlite' ? 'without rowid' : '');
  await sql`create table dump_log_ranks (
    task_id text not null,
    sort text not null,
    level integer not null,
    value bigint not null,
    id bigint not null,
    rows bigint not null,
    primary key (task_id, sort, level, value, id)
  ) ${withoutRowId}`.execute(db);
  for (const trigger of RANK_TRIGGERS[dialect]()) await sql.raw(trigger).execute(db);
  await orderByCodePoints(db, dialect);
}

/** Keep the rows of each separator exact, in the transaction that changes the log. */
const RANK_TRIGGERS: Readonly<Record<SqlDialect, () => string[]>> = {
  sqlite: () => [
    `create trigger dump_log_ranks_insert after insert on dump_log when ${hasRanks('new')} begin
      ${SORTS.map((sort) => count(sort, 'new', '+')).join('\n')}
    end`,
    `create trigger dump_log_ranks_delete after delete on dump_log when ${hasRanks('old')} begin
      ${SORTS.map((sort) => count(sort, 'old', '-')).join('\n')}
    end`,
    // A trigger for each column: those that an update leaves alone cost nothing.
    ...SORTS.map(
      (sort) => `create trigger dump_log_ranks_${sort} after update of ${sort} on dump_log
      when new.${sort} <> old.${sort} and ${hasRanks('new')} begin
      ${count(sort, 'old', '-')}
      ${count(sort, 'new', '+')}
    end`,
    ),
  ],
  postgres: () => [
    `create function dump_log_ranks_count(task text, sorted text, key_value bigint, key_id bigint, step integer)
      returns void language sql as $$
      update dump_log_ranks as r set rows = r.rows + step
      from (values ${LEVELS.map((level) => `(${level})`).join(', ')}) as l(level)
      cross join lateral (
        select s.value, s.id from dump_log_ranks as s
        where s.task_id = task and s.sort = sorted and s.level = l.level and (s.value, s.id) <= (key_value, key_id)
        order by s.value desc, s.id desc limit 1) as nearest
      where r.task_id = task and r.sort = sorted and r.level = l.level
        and r.value = nearest.value and r.id = nearest.id
    $$`,
    `create function dump_log_ranks_follow() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'INSERT' and ${hasRanks('old')} then
        ${SORTS.map((sort) => callCount(sort, 'old', -1)).join('\n')}
      end if;
      if tg_op <> 'DELETE' and ${hasRanks('new')} then
        ${SORTS.map((sort) => callCount(sort, 'new', 1)).join('\n')}
      end if;
      return null;
    end $$`,
    `create trigger dump_log_ranks_insert after insert or delete on dump_log
      for each row execute function dump_log_ranks_follow()`,
    `create trigger dump_log_ranks_update after update of ${SORTS.join(', ')} on dump_log
      for each row when (${SORTS.map((sort) => `new.${sort} <> old.${sort}`).join(' or ')})
      execute function dump_log_ranks_follow()`,
  ],
};

/** Most logs are short and have no separators: theirs cost one look. */
function hasRanks(row: 'new' | 'old'): string {
  return `exists (select 1 from dump_log_ranks where task_id = ${row}.task_id)`;
}

/** Columns that an update leaves alone cost nothing. */
function callCount(sort: string, row: 'new' | 'old', step: number): string {
  const other = row === 'new' ? 'old' : 'new';
  return `if tg_op <> 'UPDATE' or ${row}.${sort} <> ${other}.${sort} then
          perform dump_log_ranks_count(${row}.task_id, '${sort}', ${row}.${sort}, ${row}.id, ${step});
        end if;`;
}

/** Counts a row in, or out, at the last separator at or before it, on each level. */
function count(sort: string, row: 'new' | 'old', sign: '+' | '-'): string {
  return LEVELS.map(
    (level) => `update dump_log_ranks set rows = rows ${sign} 1
      where task_id = ${row}.task_id and sort = '${sort}' and level = ${level} and (value, id) =
        (select value, id from dump_log_ranks
          where task_id = ${row}.task_id and sort = '${sort}' and level = ${level}
            and (value, id) <= (${row}.${sort}, ${row}.id)
          order by value desc, id desc limit 1);`,
  ).join('\n');
}
