/**
 * A written cut as the log tells it: the row of its plan becomes that of its first file and takes the dead letters, each
 * further file has a row of its own. Together their records and dead letters are the records of the cut.
 */
import type { Insertable, Kysely, Updateable } from 'kysely';
import { endPlan, insertLogRows } from '../../catalog/dump-log.ts';
import { touchPeriods } from '../../catalog/dump-periods.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { LOG_STATE, type Database, type DumpLogTable } from '../../catalog/schema.ts';
import type { WrittenCut, WrittenFile } from './cut.ts';

/** The row of a plan, with what the rows of further files take over from it. */
export interface PlannedRow extends Omit<Insertable<DumpLogTable>, 'id'> {
  readonly id: number;
}

/** Runs in the caller's transaction. False, with nothing written, when the plan is not in state 2 any more. */
export async function writeCutRows(
  transaction: Kysely<Database>,
  { id, ...plan }: PlannedRow,
  cut: WrittenCut,
  now: number,
): Promise<boolean> {
  const { deadLetters } = cut;
  const [first, ...others] = cut.files;
  const end = { state: LOG_STATE.succeeded, next_sequence: cut.next, end_time: now, attempt: plan.attempt };
  const dead = {
    dead_letters: deadLetters?.records ?? 0,
    dead_letter_key: deadLetters?.key ?? null,
    dead_letter_bytes: deadLetters?.bytes ?? null,
    dead_letter_checksum: deadLetters?.checksum ?? null,
  };
  const cleared = { error_code: null, cause: null, given_up: 0 };
  const file = first === undefined ? NO_FILE : fileColumns(first);
  const read = (first?.records ?? 0) + dead.dead_letters;
  if (!(await endPlan(transaction, id, { ...end, ...cleared, ...file, ...dead, read_records: read }))) return false;

  if (others.length > 0) {
    const rows = others.map((other) => ({
      ...plan,
      ...end,
      ...cleared,
      ...fileColumns(other),
      plan_id: id,
      read_records: other.records,
    }));
    await insertLogRows(transaction, rows);
    await addLogRows(transaction, plan.task_id, rows.length);
  }
  const periods = new Map(cut.files.flatMap(({ period }) => (period === undefined ? [] : [[period.start, period]])));
  if (periods.size > 0) await touchPeriods(transaction, plan.task_id, [...periods.values()], now);
  return true;
}

/** A cut whose records are dead letters, all of them. */
const NO_FILE = {
  object_key: '',
  path: '',
  period: null,
  records: 0,
  first_record: null,
  last_record: null,
  bytes: 0,
  checksum: null,
  etag: null,
} satisfies Updateable<DumpLogTable>;

function fileColumns(file: WrittenFile) {
  return {
    file_name: file.fileName,
    object_key: file.key,
    path: file.path,
    period: file.period?.start ?? null,
    records: file.records,
    first_record: file.firstRecord,
    last_record: file.lastRecord,
    bytes: file.bytes,
    checksum: file.checksum,
    etag: file.etag,
  } satisfies Updateable<DumpLogTable>;
}
