/** Consumer groups that any node can answer for: see ../schema.ts for the columns. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export function consumerGroups(): Migration {
  return { up: (db) => up(db as Kysely<unknown>) };
}

async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('consumer_groups')
    .addColumn('app_id', 'text', (c) => c.primaryKey())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('revision', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
}
