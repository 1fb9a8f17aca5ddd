/** A stream and one page of its partitions with the records that each of them can serve. */
import type { Partition, ScalingEvent, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { PartitionBounds, RecordLog } from '../recordlog/record-log.ts';
import { statusAt } from './partition-status.ts';
import { writableCount } from './repartition.ts';
import { recentScalings } from './scaling-log.ts';
import { validBounds } from './valid-bounds.ts';

export interface DescribeStreamDeps {
  readonly recordLog: RecordLog;
  readonly clock: Clock;
}

export interface StreamDescription {
  readonly stream: Stream;
  /** Numbers of ACTIVE, and of ACTIVE and DELETED partitions. */
  readonly writable: number;
  readonly readable: number;
  /** Of the last seven days, the newest last. */
  readonly scalings: readonly ScalingEvent[];
  /** With the status that they have at the moment. */
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
  const now = deps.clock.now();
  const known = stream.partitions.map((partition) => ({ ...partition, status: statusAt(stream, partition, now) }));
  const rest = known.filter(({ ref }) => after === undefined || ref.partition > after);
  const { recordLog, clock } = deps;
  const partitions = await Promise.all(
    rest.slice(0, limit).map(async (partition) => ({
      partition,
      bounds: await validBounds(recordLog, clock, stream, partition.ref),
    })),
  );
  return {
    stream,
    writable: writableCount(stream),
    readable: known.filter(({ status }) => status !== 'EXPIRED').length,
    scalings: recentScalings(stream, now),
    partitions,
    hasMorePartitions: rest.length > limit,
  };
}
