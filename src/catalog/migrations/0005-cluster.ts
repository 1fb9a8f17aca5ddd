/** What nodes that share a catalog agree on: see ../schema.ts for the columns. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { NEVER_REUSED } from '../never-reused.ts';
import { orderByCodePoints } from '../order-by-code-points.ts';
import type { SqlDialect } from '../sql-dialect.ts';

export function cluster(dialect: SqlDialect): Migration {
  return { up: (db) => up(db as Kysely<unknown>, dialect) };
}

async function up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable('nodes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('renewed_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('change_seen', 'bigint', (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('leases')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('owner', 'text')
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('taken_at', 'bigint')
    .execute();
  await db.schema.createIndex('leases_owner').on('leases').column('owner').execute();

  await sql`create table changes (
    id ${NEVER_REUSED[dialect]},
    kind text not null,
    key text not null,
    node text not null,
    at bigint not null
  )`.execute(db);
  await orderByCodePoints(db, dialect);
}
