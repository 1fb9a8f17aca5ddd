/**
 * Jobs that one node runs at a time: PostgreSQL's advisory locks, each held by a transaction that is kept awake while the job
 * runs. So the lock of a node that is frozen or cut off is free again after the time of a lease, as that of a dead one is at
 * once.
 */
import { Kysely, sql } from 'kysely';
import type { ClientConfig } from 'pg';
import { CatalogDialect } from '../../catalog/postgres/dialect.ts';
import { openPool } from '../../catalog/postgres/open-pool.ts';
import type { Clock } from '../../platform/clock.ts';
import { Lanes } from '../../platform/lanes.ts';
import { repeat } from '../../platform/repeat.ts';

export interface ExclusiveOptions {
  readonly connection: ClientConfig;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** A job holds one until its end, and who waits for it holds one too. */
const CONNECTIONS = 4;
/** Longest wait for another node's job; then CatalogUnavailable. */
const WAIT_MS = 30_000;
const AWAKE_PER_LEASE = 4;

export class Exclusive {
  readonly #options: ExclusiveOptions;
  readonly #db: Kysely<unknown>;
  /** Of this node the next job of a name waits here, without a connection. */
  readonly #lanes = new Lanes();

  constructor(options: ExclusiveOptions) {
    this.#options = options;
    const { connection, leaseMs, onError } = options;
    const limits = { lock_timeout: WAIT_MS, idle_in_transaction_session_timeout: leaseMs };
    const pool = openPool({ ...connection, ...limits, max: CONNECTIONS }, WAIT_MS + leaseMs, onError);
    this.#db = new Kysely({ dialect: new CatalogDialect({ pool }) });
  }

  run<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.#lanes.run(name, () => this.#locked(name, job));
  }

  close(): Promise<void> {
    return this.#db.destroy();
  }

  async #locked<T>(name: string, job: () => Promise<T>): Promise<T> {
    const { clock, leaseMs, onError } = this.#options;
    let result: PromiseSettledResult<T> | undefined;
    try {
      await this.#db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction);
        const stayAwake = () => sql`select 1`.execute(transaction);
        const awake = repeat(clock, leaseMs / AWAKE_PER_LEASE, stayAwake, onError);
        [result] = await Promise.allSettled([job()]);
        await awake.close();
      });
    } catch (error) {
      if (result === undefined) throw error;
      // The lock goes with a connection that breaks, and what the job did is done.
      onError(error);
    }
    if (result!.status === 'rejected') throw result!.reason;
    return result!.value;
  }
}
