/**
 * Gives up expired records of every stream, so that their space comes back, but for those that somebody holds. Reads
 * apply retention by themselves: what is held is there for its holder alone.
 */
import { isDomainError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from './stream-registry.ts';
import { retentionMs, retentionStart } from './valid-bounds.ts';

export interface RetentionOptions {
  readonly registry: StreamRegistry;
  readonly recordLog: RecordLog;
  readonly clock: Clock;
  /** The first record that must be kept in a partition of the stream, for each partition that has one. */
  readonly holdsOf: (stream: number) => Promise<ReadonlyMap<number, number>>;
}

/** Trims every partition to its stream's retention. */
export async function trimExpired({ registry, recordLog, clock, holdsOf }: RetentionOptions): Promise<void> {
  for (const stream of registry.all()) {
    const oldest = retentionStart(stream, clock);
    const holds = await holdsOf(stream.number);
    try {
      await recordLog.keepFor(stream.number, holds.size === 0 ? retentionMs(stream) : undefined);
      for (const { ref } of stream.partitions) {
        const expired = await recordLog.seek(ref, oldest);
        await recordLog.trim(ref, Math.min(expired, holds.get(ref.partition) ?? Infinity));
      }
    } catch (error) {
      // The stream may have been deleted between two awaits.
      if (!isDomainError(error, 'StreamNotFound')) throw error;
    }
  }
}
