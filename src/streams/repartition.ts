/**
 * Which partitions a stream has after scaling. The ACTIVE ones are always those with the lowest numbers, and share the
 * hash space evenly in order of number. So scaling down closes the highest numbers, and scaling up opens closed
 * partitions again, the lowest first, before it makes new ones; what is opened again goes on with its sequence numbers.
 */
import { formatPartitionId } from '../model/partition-id.ts';
import type { Partition, Stream } from '../model/stream.ts';
import { splitHashSpace } from './hash-ranges.ts';

/** Number of partitions that are written to. */
export function writableCount({ partitions }: Stream): number {
  return partitions.filter(({ status }) => status === 'ACTIVE').length;
}

/**
 * All partitions of the stream with `target` (1 and up) of them ACTIVE, in order of number. Those that this closes are
 * DELETED since `now` (ms). The parents of an ACTIVE one are the others whose range overlapped its range until now.
 */
export function repartition(stream: Stream, target: number, now: number): Partition[] {
  const before = stream.partitions.filter(({ status }) => status === 'ACTIVE');
  let overlap = 0;
  const open = splitHashSpace(target).map(({ low, high }, number): Partition => {
    const id = formatPartitionId(number);
    const parents: string[] = [];
    while (before[overlap]!.hashHigh < low) overlap += 1;
    for (let at = overlap; at < before.length && before[at]!.hashLow <= high; at += 1) {
      if (before[at]!.id !== id) parents.push(before[at]!.id);
    }
    return {
      ref: { stream: stream.number, partition: number },
      id,
      status: 'ACTIVE',
      hashLow: low,
      hashHigh: high,
      parents,
      closedAt: undefined,
    };
  });
  const closed = stream.partitions.slice(target).map((partition): Partition => {
    if (partition.status !== 'ACTIVE') return partition;
    return { ...partition, status: 'DELETED', hashLow: -1n, hashHigh: -1n, closedAt: now };
  });
  return [...open, ...closed];
}
