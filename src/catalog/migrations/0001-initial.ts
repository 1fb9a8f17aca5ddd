/** The first layout of the catalog: see ../schema.ts for what the columns mean. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { NEVER_REUSED } from '../never-reused.ts';
import type { SqlDialect } from '../sql-dialect.ts';

const DUMP_LOG_SORTS = ['created_at', 'start_time', 'end_time', 'state', 'records', 'read_records', 'bytes'] as const;

export function initial(dialect: SqlDialect): Migration {
  return { up: (db) => up(db as Kysely<unknown>, dialect) };
}

async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  const neverReused = NEVER_REUSED[dialect];

  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('projects')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('domain', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('projects_name', ['domain', 'name'])
    .execute();

  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('domain', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('users_name', ['domain', 'name'])
    .execute();

  await db.schema
    .createTable('access_keys')
    .addColumn('access_key', 'text', (c) => c.primaryKey())
    .addColumn('secret_key', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('tokens')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('issued_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('tokens_expiry').on('tokens').column('expires_at').execute();

  await sql`create table streams (
    number ${neverReused},
    stream_id text not null unique,
    project_id text not null,
    name text not null,
    stream_type text not null,
    data_type text not null,
    data_schema text,
    csv_delimiter text,
    compression_format text,
    retention_hours integer not null,
    auto_scale_enabled integer not null,
    auto_scale_min integer,
    auto_scale_max integer,
    tags text not null,
    sys_tags text not null,
    created_at bigint not null,
    updated_at bigint not null,
    unique (project_id, name)
  )`.execute(db);

  await db.schema
    .createTable('partitions')
    .addColumn('stream', 'bigint', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('hash_low', 'text', (c) => c.notNull())
    .addColumn('hash_high', 'text', (c) => c.notNull())
    .addColumn('parents', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('partitions_key', ['stream', 'partition'])
    .execute();

  await db.schema
    .createTable('deleted_streams')
    .addColumn('number', 'bigint', (c) => c.primaryKey())
    .addColumn('deleted_at', 'bigint', (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('dump_tasks')
    .addColumn('task_id', 'text', (c) => c.primaryKey())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('stream', 'bigint', (c) => c.notNull())
    .addColumn('stream_id', 'text', (c) => c.notNull())
    .addColumn('stream_name', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('deleted_at', 'bigint')
    .addColumn('log_rows', 'bigint', (c) => c.notNull())
    .execute();
  // A deleted task keeps its row for its log; its name is free again.
  await sql`create unique index dump_tasks_name on dump_tasks (stream, name) where deleted_at is null`.execute(db);

  await db.schema
    .createTable('dump_task_versions')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('settings', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('dump_task_versions_key', ['task_id', 'version'])
    .execute();

  await db.schema
    .createTable('dump_positions')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull())
    .addColumn('position', 'bigint', (c) => c.notNull())
    .addColumn('waiting_since', 'bigint', (c) => c.notNull())
    .addColumn('last_name_time', 'bigint', (c) => c.notNull())
    .addColumn('last_transfer_at', 'bigint')
    .addColumn('discarded', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('dump_positions_key', ['task_id', 'partition'])
    .execute();

  await sql`create table dump_log (
    id ${neverReused},
    task_id text not null,
    task_version integer not null,
    partition integer not null,
    state integer not null,
    first_sequence bigint not null,
    next_sequence bigint not null,
    created_at bigint not null,
    start_time bigint not null,
    end_time bigint not null,
    read_records bigint not null,
    records bigint not null,
    bytes bigint not null,
    file_name text not null,
    bucket text not null,
    object_key text not null,
    checksum text,
    etag text,
    attempt integer not null,
    error_code text,
    cause text,
    given_up integer not null
  )`.execute(db);
  for (const column of DUMP_LOG_SORTS) {
    await db.schema.createIndex(`dump_log_${column}`).on('dump_log').columns(['task_id', column, 'id']).execute();
  }
  // Plans that wait for their commit: found at start without reading the log.
  await sql`create index dump_log_planned on dump_log (task_id, partition) where state = 2`.execute(db);
}
