/** Jobs that one node runs at a time: PostgreSQL's advisory locks, on connections that nothing else uses. */
import { Pool, type PoolConfig } from 'pg';
import { Lane } from '../../platform/lane.ts';

/** A job holds one until its end, and who waits for it holds one too. */
const CONNECTIONS = 4;

export class Exclusive {
  readonly #pool: Pool;
  /** Of this node the next job of a name waits here, without a connection. */
  readonly #lanes = new Map<string, Lane>();

  constructor(connection: PoolConfig, onIdleError: (error: Error) => void) {
    this.#pool = new Pool({ ...connection, max: CONNECTIONS });
    // As in catalog/postgres/open.ts.
    this.#pool.on('connect', (client) => client.on('error', onIdleError));
    this.#pool.on('error', () => undefined);
  }

  async run<T>(name: string, job: () => Promise<T>): Promise<T> {
    let lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, (lane = new Lane()));
    try {
      return await lane.run(() => this.#locked(name, job));
    } finally {
      if (lane.jobs === 0) this.#lanes.delete(name);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #locked<T>(name: string, job: () => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = false;
    const ask = async (statement: string) => {
      try {
        await client.query(statement, [name]);
      } catch (error) {
        broken = true;
        throw error;
      }
    };
    try {
      await ask('select pg_advisory_lock(hashtextextended($1, 0))');
      try {
        return await job();
      } finally {
        // The lock goes with a connection that breaks, and what the job did is done.
        await ask('select pg_advisory_unlock(hashtextextended($1, 0))').catch(() => undefined);
      }
    } finally {
      client.release(broken);
    }
  }
}
