/**
 * The thread that owns one SQLite connection. It runs each request as it arrives, one after another, and answers each.
 * A commit returns once it is on stable storage (WAL, synchronous=FULL).
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Failure, Outcome, Reply, Request, WorkerOptions } from './protocol.ts';

/** Prepared statements kept; the catalog has about a hundred different ones. */
const STATEMENTS = 256;
/** How long to wait for a lock. Only a tool that opens the same file beside the server can hold one. */
const BUSY_TIMEOUT_MS = 5000;

if (parentPort === null) throw new Error('this module runs as a worker thread only');
const port = parentPort;

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

/** Insertion order is the order of use: the first one is the one to forget. */
const statements = new Map<string, Prepared>();

function open({ path, readOnly }: WorkerOptions): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  if (!readOnly) {
    // A WAL that a long read let grow is cut back to 16 MiB. It is a setting of the file, so it comes first.
    database.exec('pragma journal_mode = wal; pragma journal_size_limit = 16777216');
  }
  // 4 MiB of cache instead of a memory map: mapped pages would count as the server's memory.
  database.exec('pragma synchronous = full; pragma cache_size = -4096; pragma mmap_size = 0');
  return database;
}

function prepare(database: DatabaseSync, sql: string): Prepared {
  let prepared = statements.get(sql);
  if (prepared === undefined) {
    const statement = database.prepare(sql);
    prepared = { statement, returnsRows: statement.columns().length > 0 };
    const oldest = statements.size >= STATEMENTS ? statements.keys().next().value : undefined;
    if (oldest !== undefined) statements.delete(oldest);
  } else {
    statements.delete(sql);
  }
  statements.set(sql, prepared);
  return prepared;
}

function run(database: DatabaseSync, { mode, sql, parameters }: Request): Outcome {
  if (mode === 'rollback') {
    if (database.isTransaction) database.exec('rollback');
    return { rows: [] };
  }
  // `immediate` takes the write lock at once: a transaction that reads first cannot fail halfway because of another.
  if (mode === 'first') database.exec('begin immediate');
  if (mode === 'within' && !database.isTransaction) {
    throw new Error('the transaction was rolled back by SQLite after an earlier failure');
  }
  const { statement, returnsRows } = prepare(database, sql);
  if (returnsRows) return { rows: statement.all(...parameters) };
  const { changes, lastInsertRowid } = statement.run(...parameters);
  return { rows: [], changes, lastInsertRowid };
}

function describe(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, code, errcode } = error as Error & { code?: string; errcode?: number };
  return { message, code, errcode };
}

function answer(reply: Reply): void {
  port.postMessage(reply);
}

let database: DatabaseSync | undefined;
try {
  database = open(workerData as WorkerOptions);
  answer({});
} catch (error) {
  answer({ failure: describe(error) });
}

port.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    statements.clear();
    database?.close();
    port.close();
    return;
  }
  try {
    if (database === undefined) throw new Error('the database is not open');
    answer({ id: request.id, outcome: run(database, request) });
  } catch (error) {
    answer({ id: request.id, failure: describe(error) });
  }
});
