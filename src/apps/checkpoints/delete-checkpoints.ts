/** Takes the checkpoints of an app on a stream back: that of one partition, or all of them. */
import { DomainError } from '../../model/errors.ts';
import { parsePartitionId } from '../../model/partition-id.ts';
import type { Principal } from '../../model/principal.ts';
import { findStream, type StreamName } from '../../streams/stream-access.ts';
import type { AppServices } from '../app-services.ts';

/**
 * Resolves once they are gone for good; that there are none is fine. Throws AppNotFound, StreamNotFound,
 * InvalidPartitionId, PartitionNotFound.
 */
export async function deleteCheckpoints(
  { apps, registry, checkpoints }: Pick<AppServices, 'apps' | 'registry' | 'checkpoints'>,
  caller: Principal,
  appName: string,
  streamName: StreamName,
  partitionId: string | undefined,
): Promise<void> {
  const app = apps.require(caller.projectId, appName);
  const stream = findStream(registry, caller, streamName, 'getRecords');
  const partition = partitionId === undefined ? undefined : parsePartitionId(partitionId);
  // An expired partition is fine: its checkpoint is of no use, and may go.
  if (partition !== undefined && stream.partitions[partition] === undefined) {
    throw new DomainError('PartitionNotFound', [stream.name, partitionId ?? '']);
  }
  await checkpoints.delete(app, stream, partition);
}
