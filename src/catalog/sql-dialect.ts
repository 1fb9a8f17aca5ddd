/** The databases that the catalog can be in. Migrations, and hints about indexes, are written for each; all else is the same. */
import { SqliteAdapter, type Kysely } from 'kysely';

export type SqlDialect = 'sqlite' | 'postgres';

export function dialectOf<T>(db: Kysely<T>): SqlDialect {
  return db.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgres';
}
