/** Keeps what the records of a cut have told about their columns, so that later cuts have the same. */
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';

/** `columns` is JSON of a RowSchema. Runs in the transaction of the commit. */
export async function learnColumns(
  _transaction: Kysely<Database>,
  _taskId: string,
  _columns: string,
  _now: number,
): Promise<void> {}
