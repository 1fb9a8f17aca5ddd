/**
 * A migrated catalog of a test's own, gone with `close`: SQLite in a folder, or with SLUICE_TEST_CATALOG=postgres a database
 * of the PostgreSQL that SLUICE_TEST_POSTGRES_URL names.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import { openPostgresCatalog } from '../../src/catalog/postgres/open.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/open.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { systemRandom as random } from '../../src/platform/random.ts';

export interface TestCatalog extends Catalog {
  /** The folder; SQLite's file is `catalog.db` in it. */
  readonly folder: string;
  /** A second look at the same catalog, as after a restart; close it before this one. */
  reopen(): Promise<Catalog>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const { SLUICE_TEST_CATALOG, SLUICE_TEST_POSTGRES_URL } = process.env;

const ON_POSTGRES = SLUICE_TEST_CATALOG === 'postgres';

/** Options of a test that is about SQLite alone. */
export const ONLY_SQLITE = { skip: ON_POSTGRES && 'about SQLite alone' } as const;

export async function openTestCatalog(): Promise<TestCatalog> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-catalog-'));
  const { open, drop } = ON_POSTGRES ? await makeDatabase() : sqliteIn(folder);
  const catalog = await open();
  const close = async () => {
    await catalog.close();
    await drop();
    await rm(folder, { recursive: true, force: true });
  };
  const { db, reader, scanner } = catalog;
  return { db, reader, scanner, folder, reopen: open, close, [Symbol.asyncDispose]: close };
}

interface Place {
  readonly open: () => Promise<Catalog>;
  readonly drop: () => Promise<void>;
}

function sqliteIn(folder: string): Place {
  return { open: () => migrated(openSqliteCatalog({ path: join(folder, 'catalog.db') })), drop: async () => {} };
}

/** Every database of a run is a copy of one that is migrated already. */
const TEMPLATE = 'sluice_template';

async function makeDatabase(): Promise<Place> {
  const server = SLUICE_TEST_POSTGRES_URL;
  if (server === undefined) throw new Error('SLUICE_TEST_POSTGRES_URL is not set: npm run test:cluster sets it');
  const name = `sluice_${randomBytes(6).toString('hex')}`;
  await onServer(server, async (client) => {
    await client.query('select pg_advisory_lock(1)');
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [TEMPLATE]);
    if (rowCount === 0) {
      await client.query(`create database ${TEMPLATE}_new`);
      const template = await migrated(openPostgres(databaseUrl(server, `${TEMPLATE}_new`)));
      await template.close();
      await client.query(`alter database ${TEMPLATE}_new rename to ${TEMPLATE}`);
    }
    await client.query(`create database ${name} template ${TEMPLATE}`);
  });
  return {
    open: () => openPostgres(databaseUrl(server, name)),
    drop: () => onServer(server, async (client) => void (await client.query(`drop database ${name} with (force)`))),
  };
}

function openPostgres(url: string): Promise<Catalog> {
  const limits = { pool_size: 4, statement_timeout_ms: 30_000, connect_timeout_ms: 5000 };
  const onIdleError = (error: Error) => process.emitWarning(error);
  return openPostgresCatalog({ settings: { url, ...limits }, applicationName: 'test', clock, random, onIdleError });
}

async function migrated(opening: Promise<Catalog>): Promise<Catalog> {
  const catalog = await opening;
  await migrate(catalog.db);
  return catalog;
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(connectionString: string, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
