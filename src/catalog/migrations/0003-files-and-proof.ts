/** Files of every form, backfills, merges, manifests and the proof of delivery: see ../schema.ts for the columns. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export function filesAndProof(): Migration {
  return { up: (db) => up(db as Kysely<unknown>) };
}

async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;

  await schema
    .alterTable('dump_tasks')
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('live'))
    .execute();
  await schema.alterTable('dump_tasks').addColumn('parent_id', 'text').execute();
  await schema
    .alterTable('dump_tasks')
    .addColumn('draining', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await schema
    .alterTable('dump_tasks')
    .addColumn('schema_revision', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`create index dump_tasks_parent on dump_tasks (parent_id) where parent_id is not null`.execute(db);

  await schema
    .createTable('dump_schemas')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('columns', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('dump_schemas_key', ['task_id', 'revision'])
    .execute();

  await schema.alterTable('dump_positions').addColumn('start_position', 'bigint').execute();
  await schema.alterTable('dump_positions').addColumn('end_position', 'bigint').execute();
  await schema.alterTable('dump_positions').addColumn('warned_position', 'bigint').execute();
  await schema
    .alterTable('dump_positions')
    .addColumn('all_dead', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();

  const log = () => schema.alterTable('dump_log');
  await log()
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('delivery'))
    .execute();
  await log()
    .addColumn('path', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await log()
    .addColumn('dead_letters', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
  await log()
    .addColumn('schema_revision', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  const numbers = [
    'plan_id',
    'period',
    'first_record',
    'last_record',
    'dead_letter_bytes',
    'source_id',
    'redriven_by',
    'merge_id',
    'superseded_at',
    'removed_at',
  ];
  for (const column of numbers) await log().addColumn(column, 'bigint').execute();
  await log().addColumn('manifest', 'integer').execute();
  await log().addColumn('dead_letter_key', 'text').execute();
  await log().addColumn('dead_letter_checksum', 'text').execute();

  await schema.createIndex('dump_log_file_name').on('dump_log').columns(['task_id', 'file_name']).execute();
  await schema.createIndex('dump_log_object').on('dump_log').columns(['task_id', 'bucket', 'object_key']).execute();
  await sql`create index dump_log_period on dump_log (task_id, period, path) where period is not null`.execute(db);
  await sql`create index dump_log_merge on dump_log (merge_id) where merge_id is not null`.execute(db);
  // Objects that a merge has replaced and that still have to go.
  await sql`create index dump_log_unremoved on dump_log (superseded_at) where superseded_at is not null and removed_at is null`.execute(
    db,
  );
  await sql`create index dump_log_dead on dump_log (task_id, id, dead_letters) where dead_letters > 0 and redriven_by is null`.execute(
    db,
  );

  await schema
    .createTable('dump_periods')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('period', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('completed_at', 'bigint')
    .addColumn('merged_at', 'bigint')
    .addColumn('manifests', 'integer', (c) => c.notNull())
    .addColumn('late_since', 'bigint')
    .addPrimaryKeyConstraint('dump_periods_key', ['task_id', 'period'])
    .execute();
  // What the keeper of periods looks for every few seconds: nearly always nothing.
  await sql`create index dump_periods_open on dump_periods (task_id, ends_at) where completed_at is null`.execute(db);
  await sql`create index dump_periods_late on dump_periods (late_since) where late_since is not null`.execute(db);

  await schema
    .createTable('dump_manifests')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('period', 'bigint', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('bucket', 'text', (c) => c.notNull())
    .addColumn('object_key', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('stored_at', 'bigint')
    .addColumn('files', 'bigint', (c) => c.notNull())
    .addColumn('records', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('checksum', 'text')
    .addColumn('etag', 'text')
    .addPrimaryKeyConstraint('dump_manifests_key', ['task_id', 'period', 'number'])
    .execute();
  await schema.createIndex('dump_manifests_key_of').on('dump_manifests').columns(['task_id', 'object_key']).execute();
  await sql`create index dump_manifests_unstored on dump_manifests (task_id, period) where stored_at is null`.execute(
    db,
  );
}
