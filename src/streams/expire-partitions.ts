/**
 * Writes down that retired partitions have expired, and forgets old entries of the scaling log. Readers know to the
 * millisecond by themselves (partition-status.ts); this keeps a later, longer retention from bringing back a partition
 * whose records are gone.
 */
import type { Catalog } from '../catalog/catalog.ts';
import { expirePartitions } from '../catalog/partitions.ts';
import { deleteScalingsBefore } from '../catalog/scaling-log.ts';
import { isDomainError } from '../model/errors.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import { statusAt } from './partition-status.ts';
import { SCALING_LOG_MS } from './scaling-log.ts';
import type { StreamChanges } from './stream-changes.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface ExpireOptions {
  readonly catalog: Catalog;
  readonly registry: StreamRegistry;
  readonly streamChanges: StreamChanges;
  readonly clock: Clock;
}

export async function expireRetired({ catalog, registry, streamChanges, clock }: ExpireOptions): Promise<void> {
  for (const stream of registry.all()) {
    if (expired(stream, clock.now()).length === 0) continue;
    try {
      await streamChanges.run(stream, async (current, transaction) => {
        const gone = new Set(expired(current, clock.now()));
        if (gone.size === 0) return current;
        await expirePartitions(
          transaction,
          [...gone].map(({ ref }) => ref),
        );
        const partitions = current.partitions.map((partition): Partition => {
          return gone.has(partition) ? { ...partition, status: 'EXPIRED' } : partition;
        });
        return { ...current, partitions };
      });
    } catch (error) {
      // Deleted meanwhile.
      if (!isDomainError(error, 'StreamNotFound')) throw error;
    }
  }
  await deleteScalingsBefore(catalog.db, clock.now() - SCALING_LOG_MS);
}

/** The partitions that have expired without that being written down. */
function expired(stream: Stream, now: number): Partition[] {
  return stream.partitions.filter(
    (partition) => partition.status === 'DELETED' && statusAt(stream, partition, now) === 'EXPIRED',
  );
}
