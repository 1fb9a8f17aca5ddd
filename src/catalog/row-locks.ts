/**
 * Transactions that rely on the rows that they lock. In PostgreSQL each of their statements sees what is committed by
 * then, so that what was read under a lock is true until the end, however long the lock was waited for; and whoever has
 * to wait goes on afterwards, where a serializable transaction would have to be made again. It protects what is locked
 * and nothing else. All that change a row by such transactions must lock it, and in the same order: apps, streams,
 * consumer groups, checkpoints, each by key. SQLite makes one transaction at a time and needs no locks.
 */
import type { Kysely, TransactionBuilder } from 'kysely';
import type { Database } from './schema.ts';
import { dialectOf } from './sql-dialect.ts';

export function lockingTransaction(db: Kysely<Database>): TransactionBuilder<Database> {
  return db.transaction().setIsolationLevel('read committed');
}

/** Whether a statement has to ask for locks: `.$if(locksRows(db), (rows) => rows.forUpdate())`. */
export function locksRows(db: Kysely<Database>): boolean {
  return dialectOf(db) === 'postgres';
}
