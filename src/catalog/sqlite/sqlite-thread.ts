/**
 * A SQLite connection in a thread of its own, seen from the main thread. Requests are answered in the order in which
 * they were made. A thread that dies fails everything that waits for it and everything asked of it afterwards.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Failure, Outcome, Reply, SqlValue, TransactionMode, WorkerOptions } from './protocol.ts';

/** A statement that SQLite refused or could not finish. `errcode` is its extended result code, `sql` has no values. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string | undefined;
  readonly errcode: number | undefined;
  readonly sql: string | undefined;

  constructor({ message, code, errcode }: Failure, sql?: string) {
    super(message);
    this.code = code;
    this.errcode = errcode;
    this.sql = sql;
  }
}

// As source the worker is TypeScript, as a published package JavaScript; like this module in both.
const WORKER = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

function spawn(options: WorkerOptions): Worker {
  // A small nursery: rows are short-lived, and each thread's heap is part of the server's memory.
  const resourceLimits = { maxYoungGenerationSizeMb: 4 };
  return new Worker(WORKER, { name: 'catalog', workerData: options, resourceLimits });
}

export class SqliteThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #dead: string | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('messageerror', (error) => this.#die(`sent an unreadable answer: ${error.message}`));
    worker.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error)));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#die(`ended with code ${code}`);
        resolve();
      });
    });
  }

  /**
   * Resolves once the database is open. Throws SqliteError, and leaves no thread, when it cannot be opened.
   * `worker` runs worker.ts with `options`; a test that wants to kill it brings its own.
   */
  static async start(options: WorkerOptions, worker = spawn(options)): Promise<SqliteThread> {
    const thread = new SqliteThread(worker);
    const { failure } = await new Promise<Reply>((resolve) => thread.#waiting.set(0, resolve));
    if (failure === undefined) return thread;
    await thread.close();
    throw new SqliteError({ ...failure, message: `${options.path}: ${failure.message}` });
  }

  /** True once nothing will be answered any more. */
  get dead(): boolean {
    return this.#dead !== undefined;
  }

  async run(mode: TransactionMode, sql: string, parameters: readonly SqlValue[]): Promise<Outcome> {
    const id = this.#nextId++;
    const reply = await new Promise<Reply>((resolve) => {
      if (this.#dead !== undefined) return resolve({ failure: { message: this.#dead } });
      this.#waiting.set(id, resolve);
      try {
        this.#worker.postMessage({ id, mode, sql, parameters });
      } catch (error) {
        // A value that cannot be cloned: a bug of the caller, and nothing was sent.
        this.#settle({ id, failure: { message: (error as Error).message } });
      }
    });
    // Thrown here rather than where the answer arrives, so that the stack names the statement's author.
    if (reply.failure !== undefined) throw new SqliteError(reply.failure, sql);
    return reply.outcome ?? { rows: [] };
  }

  /** Answers what was asked before, closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#dead === undefined) this.#worker.postMessage('close');
    await this.#exited;
  }

  #settle(reply: Reply): void {
    const id = reply.id ?? 0;
    this.#waiting.get(id)?.(reply);
    this.#waiting.delete(id);
  }

  #die(cause: string): void {
    this.#dead ??= `the catalog's thread stopped: ${cause}`;
    const message = this.#dead;
    for (const id of [...this.#waiting.keys()]) this.#settle({ id, failure: { message } });
  }
}
