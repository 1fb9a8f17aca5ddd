/**
 * Kysely over a SqliteThread. There is one connection, and kysely hands it to one caller at a time (the adapter says
 * that there is no second one): a transaction holds it from begin to end, so that nothing gets between its statements.
 * A thread that died is replaced for the next caller; the one whose statement it was has got the error.
 *
 * Whatever can fail happens in `executeQuery`: kysely never frees a connection whose `acquireConnection` has failed.
 */
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import type { SqlValue } from './protocol.ts';
import type { SqliteThread } from './sqlite-thread.ts';

export class ThreadedSqliteDialect implements Dialect {
  readonly #start: () => Promise<SqliteThread>;

  /** `start` is called when the connection is first needed. */
  constructor(start: () => Promise<SqliteThread>) {
    this.#start = start;
  }

  createDriver(): Driver {
    return new ThreadedSqliteDriver(this.#start);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

/** SQLite can undo a `create table`; kysely's own adapter does not say so. It makes a migration all or nothing. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class ThreadedSqliteDriver implements Driver {
  readonly #connection: ThreadConnection;

  constructor(start: () => Promise<SqliteThread>) {
    this.#connection = new ThreadConnection(start);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ThreadConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: ThreadConnection): Promise<void> {
    connection.begin();
  }

  commitTransaction(connection: ThreadConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: ThreadConnection): Promise<void> {
    return connection.rollback();
  }

  destroy(): Promise<void> {
    return this.#connection.close();
  }
}

class ThreadConnection implements DatabaseConnection {
  readonly #start: () => Promise<SqliteThread>;
  #thread: SqliteThread | undefined;
  #closed = false;
  /** `begun` is a promise of a BEGIN: it goes with the first statement, and a transaction without one costs nothing. */
  #transaction: 'none' | 'begun' | 'open' = 'none';

  constructor(start: () => Promise<SqliteThread>) {
    this.#start = start;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    refuseInexact(parameters);
    const thread = await this.#liveThread();
    const outcome = await thread.run(this.#nextMode(), sql, parameters as readonly SqlValue[]);
    const rows = outcome.rows as R[];
    if (outcome.changes === undefined || outcome.lastInsertRowid === undefined) return { rows };
    return { rows, numAffectedRows: BigInt(outcome.changes), insertId: BigInt(outcome.lastInsertRowid) };
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the catalog does not stream: ask for pages');
  }

  begin(): void {
    this.#transaction = 'begun';
  }

  async commit(): Promise<void> {
    if (this.#transaction === 'open') await this.#thread?.run('within', 'commit', []);
    this.#transaction = 'none';
  }

  async rollback(): Promise<void> {
    const open = this.#transaction === 'open';
    this.#transaction = 'none';
    // With its thread the transaction is gone too, and the error that led here is the one to tell.
    if (open && this.#thread?.dead === false) await this.#thread.run('rollback', '', []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.close();
  }

  /** Starts the thread, or the next one after a death; a transaction stays with the thread that it was begun on. */
  async #liveThread(): Promise<SqliteThread> {
    if (this.#thread === undefined || (this.#thread.dead && this.#transaction !== 'open')) {
      // Reached by a caller that was waiting for its turn when the catalog was closed.
      if (this.#closed) throw new Error('the catalog is closed');
      this.#thread = await this.#start();
    }
    return this.#thread;
  }

  #nextMode(): 'alone' | 'first' | 'within' {
    if (this.#transaction === 'none') return 'alone';
    const first = this.#transaction === 'begun';
    this.#transaction = 'open';
    return first ? 'first' : 'within';
  }
}

/**
 * A whole number from 2^53 on would be stored, and could never be read again: a row that keeps the server from starting is
 * worse than a request that fails.
 */
function refuseInexact(parameters: readonly unknown[]): void {
  for (const value of parameters) {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new RangeError(`the catalog cannot hold the number ${String(value)}`);
    }
  }
}
