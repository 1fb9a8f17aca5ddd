/** What the main thread and a SQLite worker say to each other: one reply to each request, in any order of ids. */

export type SqlValue = null | number | bigint | string | Uint8Array;

export interface WorkerOptions {
  readonly path: string;
  /** The reader's connection cannot write, not even by mistake. */
  readonly readOnly: boolean;
}

/**
 * How a statement stands to a transaction:
 * - `alone`: outside of any; it commits itself.
 * - `first`: opens one before it runs, so that BEGIN costs no round trip of its own.
 * - `within`: needs an open one. SQLite ends a transaction by itself when the disk is full or fails; without this check
 *   what follows would commit statement by statement.
 * - `rollback`: ends an open one, and is content when SQLite has done so already. Its `sql` is not looked at.
 */
export type TransactionMode = 'alone' | 'first' | 'within' | 'rollback';

export interface Request {
  readonly id: number;
  readonly mode: TransactionMode;
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export interface Outcome {
  readonly rows: readonly unknown[];
  /** Only of statements that return no rows. */
  readonly changes?: number | bigint;
  readonly lastInsertRowid?: number | bigint;
}

/** An Error loses its own properties on the way between threads: this is what is kept of it. */
export interface Failure {
  readonly message: string;
  /** Node's name of the failure, such as `ERR_SQLITE_ERROR`. */
  readonly code?: string | undefined;
  /** SQLite's extended result code, such as 2067; absent when SQLite did not fail. */
  readonly errcode?: number | undefined;
}

/** The reply without an id is the first message of a worker: its database is open, or why not. */
export interface Reply {
  readonly id?: number;
  readonly outcome?: Outcome;
  readonly failure?: Failure;
}
