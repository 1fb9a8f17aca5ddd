/** Streams as the registry holds them, for tests that need no catalog; and what streams are made of. */
import { formatPartitionId } from '../../src/model/partition-id.ts';
import type { Stream } from '../../src/model/stream.ts';
import type { StreamSettings } from '../../src/streams/stream-settings.ts';

/** A stream of evenly split partitions with `members` in place of the defaults. */
export function makeStream(members: Partial<Stream> & { readonly partitionCount?: number } = {}): Stream {
  const { partitionCount = 1, ...rest } = members;
  const number = rest.number ?? 1;
  const width = (2n ** 63n - 1n) / BigInt(partitionCount);
  return {
    number,
    id: `stream${number}`.padEnd(19, 'x'),
    projectId: 'project',
    name: `stream${number}`,
    type: 'COMMON',
    dataType: 'BLOB',
    dataSchema: undefined,
    csvDelimiter: undefined,
    compressionFormat: undefined,
    retentionHours: 24,
    autoScale: { enabled: false, min: undefined, max: undefined },
    tags: [],
    sysTags: [],
    createdAt: 0,
    updatedAt: 0,
    partitions: Array.from({ length: partitionCount }, (_, partition) => ({
      ref: { stream: number, partition },
      id: formatPartitionId(partition),
      status: 'ACTIVE' as const,
      hashLow: BigInt(partition) * width,
      hashHigh: partition === partitionCount - 1 ? 2n ** 63n - 1n : BigInt(partition + 1) * width - 1n,
      parents: [],
      closedAt: undefined,
    })),
    policies: [],
    scalings: [],
    ...rest,
  };
}

/** What a create request asks for, with the defaults of the API but for `members`. */
export function makeSettings(members: Partial<StreamSettings> = {}): StreamSettings {
  return {
    name: 'orders',
    partitionCount: 1,
    type: undefined,
    dataType: undefined,
    retentionHours: undefined,
    dataSchema: undefined,
    csvDelimiter: undefined,
    compressionFormat: undefined,
    autoScaleEnabled: undefined,
    autoScaleMin: undefined,
    autoScaleMax: undefined,
    tags: [],
    sysTags: [],
    ...members,
  };
}
