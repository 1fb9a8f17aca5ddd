/**
 * The embedded catalog: one SQLite file, one thread that reads and writes it and two, each started when it is first
 * asked for, that only read. Everything committed survives a power cut; a reader sees committed rows only and never
 * waits for a writer. `migrate` makes the tables.
 */
import { open } from 'node:fs/promises';
import { Kysely } from 'kysely';
import type { Catalog } from '../catalog.ts';
import type { Database } from '../schema.ts';
import { ThreadedSqliteDialect } from './dialect.ts';
import { SqliteThread } from './sqlite-thread.ts';

/** Its name in the data directory. */
export const CATALOG_FILE = 'catalog.db';

/** Opens or makes the file at `path`; its folder must exist. Throws SqliteError for a file that is not SQLite's. */
export async function openSqliteCatalog({ path }: { readonly path: string }): Promise<Catalog> {
  await makePrivate(path);
  let first: SqliteThread | undefined = await SqliteThread.start({ path, readOnly: false });

  const db = new Kysely<Database>({
    dialect: new ThreadedSqliteDialect(async () => {
      const thread = first ?? (await SqliteThread.start({ path, readOnly: false }));
      first = undefined;
      return thread;
    }),
  });
  const openReader = () =>
    new Kysely<Database>({ dialect: new ThreadedSqliteDialect(() => SqliteThread.start({ path, readOnly: true })) });
  const reader = openReader();
  const scanner = openReader();

  return {
    db,
    reader,
    scanner,
    async close() {
      // The writer goes last: the last connection to leave moves the WAL into the file.
      await Promise.all([reader.destroy(), scanner.destroy()]);
      await first?.close();
      await db.destroy();
    },
  };
}

/** The file holds secrets; SQLite gives its side files the mode of the file itself. */
async function makePrivate(path: string): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  await handle.close();
}
