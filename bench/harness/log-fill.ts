/** A dump log of any length, written straight into the catalog of a server that is stopped. */
import { DatabaseSync } from 'node:sqlite';
import { openSqliteCatalog } from '../../src/catalog/sqlite/open.ts';
import { RankKeeper } from '../../src/dump/dump-log/rank-keeper.ts';

export const LOG_PARTITIONS = 16;
/** One row of a hundred is a failed attempt. */
export const FAILED_EVERY = 100;
/** All rows are of so many days, the last ones of just now. */
export const LOG_DAYS = 80;
const DAY_MS = 86_400_000;

/**
 * Rows as months of deliveries leave them: times rise, sizes vary, few fail. Indexes and triggers are made afterwards, which
 * is quicker, and then the separators, by what makes them in the server.
 */
export async function fillLog(path: string, taskId: string, rows: number): Promise<void> {
  const database = new DatabaseSync(path);
  writeRows(database, taskId, rows);
  database.close();
  const catalog = await openSqliteCatalog({ path });
  await new RankKeeper(catalog).look();
  await catalog.close();
}

function writeRows(database: DatabaseSync, taskId: string, rows: number): void {
  const parts = database
    .prepare(
      `select type, name, sql from sqlite_master where type in ('index', 'trigger') and tbl_name = 'dump_log' and sql is not null`,
    )
    .all() as { type: string; name: string; sql: string }[];
  // Nothing of it has to survive a crash.
  database.exec('pragma journal_mode = memory; pragma synchronous = off; pragma cache_size = -1000000; begin');
  for (const { type, name } of parts) database.exec(`drop ${type} ${name}`);
  const step = Math.max(1, Math.floor((LOG_DAYS * DAY_MS) / rows));
  database
    .prepare(
      `insert into dump_log
        (task_id, task_version, partition, state, first_sequence, next_sequence, created_at, start_time, end_time,
         read_records, records, bytes, file_name, bucket, object_key, checksum, etag, attempt, error_code, cause, given_up)
      with recursive number(i) as (select 0 union all select i + 1 from number where i + 1 < :rows),
      file as (
        select i, i % ${LOG_PARTITIONS} as partition, i / ${LOG_PARTITIONS} * 100000 as first, :begin + i * :step as created,
          i % ${FAILED_EVERY} = ${FAILED_EVERY - 1} as failed, i * 7919 % 100000 as records
        from number),
      named as (select *, :task || '.bench.' || partition || '.' || created as name from file)
      select :task, 1, partition, failed, first, first + 100000, created, created - 30000, created + records % 5000,
        records, iif(failed, 0, records), iif(failed, 0, records * 1025), name, 'bench', 'prefix/' || name,
        iif(failed, null, 'sha256:' || printf('%064x', i)), iif(failed, null, records || '-00000000'), 1,
        iif(failed, 'DIS.4310', null), iif(failed, 'the store did not answer', null), 0
      from named`,
    )
    .run({ rows, task: taskId, begin: Date.now() - rows * step, step });
  for (const { sql } of parts) database.exec(sql);
  database.prepare('update dump_tasks set log_rows = ? where task_id = ?').run(rows, taskId);
  database.exec('commit; pragma journal_mode = wal');
}
