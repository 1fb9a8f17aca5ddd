/** A migrated embedded catalog in a folder of its own, gone with `close`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/open.ts';

export interface TestCatalog extends Catalog {
  /** The folder; the catalog is `catalog.db` in it. */
  readonly folder: string;
  /** A second look at the same file, as after a restart; close it before this one. */
  reopen(): Promise<Catalog>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openTestCatalog(): Promise<TestCatalog> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-catalog-'));
  const path = join(folder, 'catalog.db');
  const catalog = await openSqliteCatalog({ path });
  await migrate(catalog.db);
  const close = async () => {
    await catalog.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    db: catalog.db,
    reader: catalog.reader,
    scanner: catalog.scanner,
    folder,
    reopen: () => openSqliteCatalog({ path }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
