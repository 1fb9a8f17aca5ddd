/** A stream and one page of its partitions with the records that each of them can serve. */
import type { Partition, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { PartitionBounds, RecordLog } from '../recordlog/record-log.ts';
import { validBounds } from './valid-bounds.ts';

export interface DescribeStreamDeps {
  readonly recordLog: RecordLog;
  readonly clock: Clock;
}

export interface StreamDescription {
  readonly stream: Stream;
  readonly partitions: readonly { readonly partition: Partition; readonly bounds: PartitionBounds }[];
  readonly hasMorePartitions: boolean;
}

/** Up to `limit` partitions numbered above `after` (exclusive); undefined starts at the first. */
export async function describeStream(
  deps: DescribeStreamDeps,
  stream: Stream,
  limit: number,
  after: number | undefined,
): Promise<StreamDescription> {
  const rest = stream.partitions.filter(({ ref }) => after === undefined || ref.partition > after);
  const { recordLog, clock } = deps;
  const partitions = await Promise.all(
    rest.slice(0, limit).map(async (partition) => ({
      partition,
      bounds: await validBounds(recordLog, clock, stream, partition.ref),
    })),
  );
  return { stream, partitions, hasMorePartitions: rest.length > limit };
}
