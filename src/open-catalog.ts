/** Opens the catalog that the configuration names; its tables are left as they are. */
import { join } from 'node:path';
import type { Catalog } from './catalog/catalog.ts';
import { CATALOG_FILE, openSqliteCatalog } from './catalog/sqlite/open.ts';
import type { Config } from './config.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemRandom as random } from './platform/random.ts';

export interface OpenCatalogOptions {
  readonly config: Pick<Config, 'data_dir' | 'postgres'>;
  /** Of this process, where PostgreSQL shows its connections. */
  readonly name: string;
  /** Told of connections that broke while nobody used them. */
  readonly onIdleError: (error: Error) => void;
}

export async function openCatalog({ config, name, onIdleError }: OpenCatalogOptions): Promise<Catalog> {
  const { data_dir, postgres } = config;
  if (postgres.url === undefined) return openSqliteCatalog({ path: join(data_dir, CATALOG_FILE) });
  // Only here: a server with everything embedded does not pay for it.
  const { openPostgresCatalog } = await import('./catalog/postgres/open.ts');
  const settings = { ...postgres, url: postgres.url };
  return openPostgresCatalog({ settings, applicationName: name, clock, random, onIdleError });
}
