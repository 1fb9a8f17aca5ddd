/** What a task has not delivered yet of a partition. */
import type { RecordLog } from '../../recordlog/record-log.ts';
import type { Pair } from './task-table.ts';

export interface Undelivered {
  /** Exclusive end; at or before the position when all is delivered. */
  readonly next: number;
  /** The first of it is not kept any more. */
  readonly lost: boolean;
}

/** Throws StreamNotFound when the partition is not known. */
export async function undeliveredOf(
  recordLog: Pick<RecordLog, 'bounds'>,
  { ref, position, end }: Pick<Pair, 'ref' | 'position' | 'end'>,
): Promise<Undelivered> {
  const bounds = await recordLog.bounds(ref);
  const next = end === null ? bounds.next : Math.min(bounds.next, end);
  return { next, lost: position < Math.min(bounds.first, next) };
}
