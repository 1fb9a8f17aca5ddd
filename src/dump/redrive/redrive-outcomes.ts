/** What becomes of a planned redrive, as the catalog has it. Each runs in a transaction; false when the plan is not open. */
import type { Kysely } from 'kysely';
import { endPlan, insertLogRows, nextAttempt } from '../../catalog/dump-log.ts';
import { lowerDiscarded, releaseDeadLetters, type OpenRedrive } from '../../catalog/dump-redrives.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { LOG_STATE, type Database } from '../../catalog/schema.ts';
import { writeCutRows } from '../cuts/cut-rows.ts';
import type { WrittenCut } from '../cuts/cut.ts';
import { describeFailure } from '../describe-failure.ts';
import type { FailedAttempt } from '../cuts/write-cut.ts';

type Row = OpenRedrive['row'];

/** The rows of its files; what is in files now is taken out of `discarded`. */
export async function writeDelivered(
  transaction: Kysely<Database>,
  row: Row,
  written: WrittenCut,
  now: number,
): Promise<boolean> {
  if (!(await writeCutRows(transaction, row, written, now))) return false;
  const records = deliveredRecords(written);
  const { task_id: taskId, partition } = row;
  if (records > 0) await lowerDiscarded(transaction, { taskId, partition, records });
  return true;
}

/** A row for the attempt; the plan stays. `startedAt` and `now` are its beginning and end. */
export async function writeFailed(
  transaction: Kysely<Database>,
  row: Row,
  failure: FailedAttempt,
  { startedAt, now }: { readonly startedAt: number; readonly now: number },
): Promise<boolean> {
  if (!(await nextAttempt(transaction, row.id, row.attempt))) return false;
  const { id: _, ...plan } = row; // eslint-disable-line @typescript-eslint/no-unused-vars
  const times = { start_time: startedAt, end_time: now };
  await insertLogRows(transaction, [{ ...plan, ...times, ...failureColumns(failure) }]);
  await addLogRows(transaction, row.task_id, 1);
  return true;
}

/** The plan has failed for good; another redrive may take its dead letters. */
export async function writeGivenUp(
  transaction: Kysely<Database>,
  row: Row,
  failure: FailedAttempt,
  now: number,
): Promise<boolean> {
  if (!(await endPlan(transaction, row.id, { ...failureColumns(failure), end_time: now }))) return false;
  if (row.source_id !== null) await releaseDeadLetters(transaction, row.source_id, row.id);
  return true;
}

export function deliveredRecords({ files }: WrittenCut): number {
  return files.reduce((sum, { records }) => sum + records, 0);
}

function failureColumns({ recordsRead, cause }: FailedAttempt) {
  const { errorCode, cause: why } = describeFailure(cause);
  return { state: LOG_STATE.failed, read_records: recordsRead, error_code: errorCode, cause: why };
}
