/** Roles, temporary keys, policies, scaling, apps and checkpoints, metrics: see ../schema.ts for the columns. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { NEVER_REUSED } from '../never-reused.ts';
import type { SqlDialect } from '../sql-dialect.ts';

const STREAM_COUNTERS = ['put_requests', 'put_ms', 'get_requests', 'get_ms', 'put_throttled', 'get_throttled'] as const;

export function wholeApi(dialect: SqlDialect): Migration {
  return { up: (db) => up(db as Kysely<unknown>, dialect) };
}

async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  const neverReused = NEVER_REUSED[dialect];

  await db.schema
    .alterTable('users')
    .addColumn('role', 'text', (c) => c.notNull().defaultTo('admin'))
    .execute();
  await db.schema.alterTable('access_keys').addColumn('security_token_hash', 'text').execute();
  await db.schema.alterTable('access_keys').addColumn('expires_at', 'bigint').execute();
  await db.schema.createIndex('access_keys_expiry').on('access_keys').column('expires_at').execute();
  await db.schema.alterTable('partitions').addColumn('closed_at', 'bigint').execute();

  await sql`create table stream_policies (
    id ${neverReused},
    stream bigint not null,
    principal text not null,
    principal_name text not null,
    action text not null,
    effect text not null,
    created_at bigint not null,
    unique (stream, principal, action, effect)
  )`.execute(db);

  await sql`create table scaling_log (
    id ${neverReused},
    stream bigint not null,
    at bigint not null,
    from_count integer not null,
    to_count integer not null,
    succeeded integer not null,
    automatic integer not null,
    message text not null
  )`.execute(db);
  await db.schema.createIndex('scaling_log_stream').on('scaling_log').columns(['stream', 'id']).execute();

  await db.schema
    .createTable('apps')
    .addColumn('app_id', 'text', (c) => c.primaryKey())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('generation', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('apps_name', ['project_id', 'name'])
    .execute();

  await db.schema
    .createTable('checkpoints')
    .addColumn('app_id', 'text', (c) => c.notNull())
    .addColumn('stream', 'bigint', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpoints_key', ['app_id', 'stream', 'partition'])
    .execute();
  await db.schema.createIndex('checkpoints_stream').on('checkpoints').column('stream').execute();

  let metrics = db.schema
    .createTable('metric_points')
    .addColumn('stream', 'bigint', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull())
    .addColumn('minute', 'bigint', (c) => c.notNull())
    .addColumn('put_records', 'bigint', (c) => c.notNull())
    .addColumn('put_bytes', 'bigint', (c) => c.notNull())
    .addColumn('get_records', 'bigint', (c) => c.notNull())
    .addColumn('get_bytes', 'bigint', (c) => c.notNull());
  for (const counter of STREAM_COUNTERS) metrics = metrics.addColumn(counter, 'bigint', (c) => c.notNull());
  await metrics.addPrimaryKeyConstraint('metric_points_key', ['stream', 'partition', 'minute']).execute();
  await db.schema.createIndex('metric_points_minute').on('metric_points').column('minute').execute();
}
