/**
 * What a partition is at a moment. A partition that was scaled away (DELETED) stays readable until its stream's retention
 * has passed since then, and is EXPIRED from that millisecond on, whenever the retention job gets to writing it down.
 */
import { DomainError } from '../model/errors.ts';
import { parsePartitionId } from '../model/partition-id.ts';
import type { Partition, PartitionStatus, Stream } from '../model/stream.ts';

/** `now` in ms. */
export function statusAt(stream: Stream, { status, closedAt }: Partition, now: number): PartitionStatus {
  if (status !== 'DELETED' || closedAt === undefined) return status;
  return now >= closedAt + stream.retentionHours * 3_600_000 ? 'EXPIRED' : 'DELETED';
}

/** Throws PartitionExpired. */
export function requireReadable(stream: Stream, partition: Partition, now: number): void {
  if (statusAt(stream, partition, now) !== 'EXPIRED') return;
  throw new DomainError('PartitionExpired', [stream.name, stream.projectId, partition.id]);
}

/**
 * The partition of that id (`shardId-0000000000` or `0`), readable at `now` (ms). Throws InvalidPartitionId,
 * PartitionNotFound, PartitionExpired.
 */
export function findPartition(stream: Stream, partitionId: string, now: number): Partition {
  const partition = stream.partitions[parsePartitionId(partitionId)];
  if (partition === undefined) throw new DomainError('PartitionNotFound', [stream.name, partitionId]);
  requireReadable(stream, partition, now);
  return partition;
}
