/**
 * Keeps what the records of a cut have told about their columns, so that later cuts have the same. Revisions only grow: a
 * column keeps its type and its place. Cuts of several partitions learn side by side; of what they disagree about the first
 * that is committed counts. When the records of a stream come to be written in another form (CSV instead of JSON), the
 * columns that are found in them replace those of the old form.
 */
import type { Kysely } from 'kysely';
import { insertColumns, selectNewestColumns } from '../../catalog/dump-schemas.ts';
import type { Database } from '../../catalog/schema.ts';
import { mergeColumns } from '../../codec/rows/infer-columns.ts';
import type { RowSchema } from '../../codec/rows/row-schema.ts';

/** `columns` is JSON of a RowSchema. Runs in the transaction of the commit. Resolves to the task's newest revision. */
export async function learnColumns(
  transaction: Kysely<Database>,
  taskId: string,
  columns: string,
  now: number,
): Promise<number> {
  const newest = await selectNewestColumns(transaction, taskId);
  const known = newest === undefined ? undefined : (JSON.parse(newest.columns) as RowSchema);
  const merged = JSON.stringify(mergeColumns(known, JSON.parse(columns) as RowSchema));
  if (merged === newest?.columns) return newest.revision;
  const revision = (newest?.revision ?? 0) + 1;
  await insertColumns(transaction, { task_id: taskId, revision, columns: merged, created_at: now });
  return revision;
}
