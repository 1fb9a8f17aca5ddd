/**
 * Which records of a partition may be read: retention is a rule of the stream, so it is applied here, to the millisecond,
 * while the log gives space back in its own time.
 */
import type { PartitionRef, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { PartitionBounds, RecordLog } from '../recordlog/record-log.ts';

/** The oldest arrival time that a stream still keeps, in ms. */
export function retentionStart(stream: Stream, clock: Clock): number {
  return clock.now() - retentionMs(stream);
}

/** How long a stream keeps a record, in ms. */
export function retentionMs({ retentionHours }: Stream): number {
  return retentionHours * 3_600_000;
}

/** When a record that arrived at `arrivedAt` (ms) expires, in ms. */
export function retentionEnd(stream: Stream, arrivedAt: number): number {
  return arrivedAt + retentionMs(stream);
}

/** `first`: the oldest record within retention (or `next`). `next`: the number of the next record. */
export async function validBounds(
  recordLog: RecordLog,
  clock: Clock,
  stream: Stream,
  ref: PartitionRef,
): Promise<PartitionBounds> {
  const [first, { next }] = await Promise.all([
    recordLog.seek(ref, retentionStart(stream, clock)),
    recordLog.bounds(ref),
  ]);
  // What comes between the two answers may be within the first alone.
  return { first, next: Math.max(first, next) };
}
