import { sql, type Kysely } from 'kysely';
import type { SqlDialect } from './sql-dialect.ts';

/**
 * Makes every text column of the catalog compare as SQLite's do, whatever language the PostgreSQL was set up for. To be
 * called at the end of a migration that adds text columns: those that are so already are left alone.
 */
export async function orderByCodePoints(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`do $$
    declare
      t text;
      c text;
    begin
      for t, c in
        select table_name, column_name from information_schema.columns
        where table_schema = current_schema() and data_type = 'text' and collation_name is distinct from 'C'
      loop
        execute format('alter table %I alter column %I type text collate "C"', t, c);
      end loop;
    end $$`.execute(db);
}
