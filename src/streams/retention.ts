/** Gives up expired records of every stream, so that their space comes back. Reads apply retention by themselves. */
import { isDomainError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from './stream-registry.ts';
import { retentionStart } from './valid-bounds.ts';

export interface RetentionOptions {
  readonly registry: StreamRegistry;
  readonly recordLog: RecordLog;
  readonly clock: Clock;
}

/** Trims every partition to its stream's retention. */
export async function trimExpired({ registry, recordLog, clock }: RetentionOptions): Promise<void> {
  for (const stream of registry.all()) {
    const oldest = retentionStart(stream, clock);
    for (const { ref } of stream.partitions) {
      try {
        recordLog.trim(ref, await recordLog.seek(ref, oldest));
      } catch (error) {
        // The stream may have been deleted between two awaits.
        if (!isDomainError(error, 'StreamNotFound')) throw error;
      }
    }
  }
}
