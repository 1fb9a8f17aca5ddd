/** The databases that the catalog can be in. Migrations, and hints about indexes, are written for each; all else is the same. */
import { sql, SqliteAdapter, type Kysely, type RawBuilder } from 'kysely';

export type SqlDialect = 'sqlite' | 'postgres';

export function dialectOf<T>(db: Kysely<T>): SqlDialect {
  return db.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgres';
}

/** Follows a table, or its alias. SQLite has no statistics here and takes now and then an index that is a thousand times slower; PostgreSQL has. */
export function indexedBy<T>(db: Kysely<T>, index: string): RawBuilder<unknown> {
  return dialectOf(db) === 'sqlite' ? sql`indexed by ${sql.ref(index)}` : sql``;
}
