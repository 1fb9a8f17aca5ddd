/** Dump work that several nodes share: see ../schema.ts for the columns. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export function sharedDumpWork(): Migration {
  return { up: (db) => up(db as Kysely<unknown>) };
}

async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('dump_tasks')
    .addColumn('plan_floor', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
  await schema.alterTable('dump_log').addColumn('retry_at', 'bigint').execute();
}
