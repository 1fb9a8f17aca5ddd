/**
 * The catalog in PostgreSQL (12 or newer), shared by all nodes. Transactions are serializable, as those of SQLite are by
 * themselves, and are tried again when PostgreSQL could not put them in an order or went away before their commit: so the
 * callback of a transaction may run more than once. When the answer to a commit is lost nobody knows whether it
 * happened: that error reaches the caller. Every statement has a time limit, on both ends of the connection.
 */
import { Kysely } from 'kysely';
import type { ClientConfig, PoolConfig } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import type { Catalog } from '../catalog.ts';
import type { Database } from '../schema.ts';
import { connectionOf } from './connection.ts';
import { CatalogDialect } from './dialect.ts';
import { openPool } from './open-pool.ts';
import { parsers } from './parsers.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { RetryingKysely } from './retrying-kysely.ts';

export interface PostgresCatalogOptions {
  readonly settings: PostgresSettings & { readonly url: string };
  /** Shown by pg_stat_activity. */
  readonly applicationName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of connections that broke. */
  readonly onIdleError: (error: Error) => void;
}

/** Connections for pages of large logs, and as many for filters and exports. */
const READERS = 2;
/** What long reads may take, in terms of other statements. */
const LONG_READ_FACTOR = 10;
/** How much longer than the server this end waits before it counts the connection as lost. */
const GRACE_MS = 5000;
/** A transaction waits for nothing but its own statements: after this its node is frozen or cut off, and holds up others. */
const IDLE_IN_TRANSACTION_MS = 5000;

/** Rejects only for settings that cannot be used: connections are made when they are needed. */
export async function openPostgresCatalog(options: PostgresCatalogOptions): Promise<Catalog> {
  const { settings, clock, random } = options;
  const connection = await connectionOf(settings, options.applicationName);
  const pool = (max: number, timeoutMs: number, readOnly: boolean) =>
    openPool(poolConfig(connection, { max, timeoutMs, readOnly }), timeoutMs + GRACE_MS, options.onIdleError);
  const longMs = settings.statement_timeout_ms * LONG_READ_FACTOR;
  const db = new RetryingKysely<Database>({
    dialect: new CatalogDialect({ pool: pool(settings.pool_size, settings.statement_timeout_ms, false) }),
    clock,
    random,
  });
  const openReader = () => new Kysely<Database>({ dialect: new CatalogDialect({ pool: pool(READERS, longMs, true) }) });
  const reader = openReader();
  const scanner = openReader();
  return {
    db,
    reader,
    scanner,
    close: async () => void (await Promise.all([db.destroy(), reader.destroy(), scanner.destroy()])),
  };
}

interface PoolLimits {
  readonly max: number;
  readonly timeoutMs: number;
  readonly readOnly: boolean;
}

function poolConfig(connection: ClientConfig, { max, timeoutMs, readOnly }: PoolLimits): PoolConfig {
  return {
    ...connection,
    max,
    idleTimeoutMillis: Math.min(60_000, timeoutMs),
    statement_timeout: timeoutMs,
    lock_timeout: timeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
    types: parsers,
  };
}
