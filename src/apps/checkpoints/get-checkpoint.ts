/** The checkpoint of an app in one partition. */
import { selectCheckpoint, type StoredCheckpoint } from '../../catalog/checkpoints.ts';
import type { Principal } from '../../model/principal.ts';
import { findPartition } from '../../streams/partition-status.ts';
import { findStream, type StreamName } from '../../streams/stream-access.ts';
import type { AppServices } from '../app-services.ts';

/**
 * Undefined when nothing was ever committed there. Throws AppNotFound, StreamNotFound, InvalidPartitionId,
 * PartitionNotFound, PartitionExpired.
 */
export async function getCheckpoint(
  { apps, registry, clock, catalog }: Pick<AppServices, 'apps' | 'registry' | 'clock' | 'catalog'>,
  caller: Principal,
  appName: string,
  streamName: StreamName,
  partitionId: string,
): Promise<StoredCheckpoint | undefined> {
  const app = apps.require(caller.projectId, appName);
  const stream = findStream(registry, caller, streamName, 'getRecords');
  const { ref } = findPartition(stream, partitionId, clock.now());
  return selectCheckpoint(catalog.reader, app.id, ref);
}
