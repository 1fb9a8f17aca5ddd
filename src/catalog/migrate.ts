/**
 * Brings a catalog's tables to the layout that this version knows. Safe to call at every start: what was done is
 * remembered in the catalog itself, and each migration happens whole or not at all.
 */
import type { Kysely } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration';
import type { Database } from './schema.ts';
import { dialectOf } from './sql-dialect.ts';
import { initial } from './migrations/0001-initial.ts';
import { wholeApi } from './migrations/0002-whole-api.ts';
import { filesAndProof } from './migrations/0003-files-and-proof.ts';
import { longLogs } from './migrations/0004-long-logs.ts';
import { cluster } from './migrations/0005-cluster.ts';
import { consumerGroups } from './migrations/0006-consumer-groups.ts';
import { sharedDumpWork } from './migrations/0007-shared-dump-work.ts';

/**
 * Throws when a statement fails, and when the catalog was written by a newer version than this one. Several nodes may call
 * it at once: PostgreSQL lets one after the other in.
 */
export async function migrate(db: Kysely<Database>): Promise<void> {
  const { error } = await migratorOf(db).migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error('the catalog could not be migrated', { cause: error });
}

/** Whether the tables have the layout that this version knows: neither an older one nor a newer one. Changes nothing. */
export async function isMigrated(db: Kysely<Database>): Promise<boolean> {
  const migrations = await migratorOf(db).getMigrations();
  if (migrations.some(({ executedAt }) => executedAt === undefined)) return false;
  // Those of a newer version are only in the catalog.
  const { executed } = await db
    .withTables<{ [DEFAULT_MIGRATION_TABLE]: { name: string } }>()
    .selectFrom(DEFAULT_MIGRATION_TABLE)
    .select(({ fn }) => fn.countAll<number>().as('executed'))
    .executeTakeFirstOrThrow();
  return executed === migrations.length;
}

function migratorOf(db: Kysely<Database>): Migrator {
  const dialect = dialectOf(db);
  return new Migrator({
    db,
    // Named here rather than found in a folder: a migration that is not shipped fails the type check, not the start.
    provider: {
      getMigrations: async () => ({
        '0001-initial': initial(dialect),
        '0002-whole-api': wholeApi(dialect),
        '0003-files-and-proof': filesAndProof(),
        '0004-long-logs': longLogs(dialect),
        '0005-cluster': cluster(dialect),
        '0006-consumer-groups': consumerGroups(),
        '0007-shared-dump-work': sharedDumpWork(),
      }),
    },
  });
}
