/** GET /v2/{project_id}/streams/{stream_name}: a stream and a page of its partitions. */
import { parsePartitionId } from '../../../model/partition-id.ts';
import type { Partition, Stream } from '../../../model/stream.ts';
import type { PartitionBounds } from '../../../recordlog/record-log.ts';
import { describeStream } from '../../../streams/describe-stream.ts';
import type { App } from '../../fastify-types.ts';
import { integerParameter, textParameter, type Query } from '../../query.ts';
import type { Services } from '../../services.ts';
import { streamSummary } from './stream-reply.ts';

const LIMIT = { min: 1, max: 1000, fallback: 100 };

export function describeStreamRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string; streamName: string }; Querystring: Query }>(
    '/v2/:projectId/streams/:streamName',
    { config: { operation: 'describeStream' } },
    (request) => {
      const { projectId, streamName } = request.params;
      const stream = services.registry.get(projectId, streamName, textParameter(request.query, 'stream_id'));
      return describeReply(services, stream, request.query);
    },
  );
}

/** The answer about a stream; `query` tells which of its partitions. */
export async function describeReply(services: Services, stream: Stream, query: Query) {
  const limit = integerParameter(query, 'limit_partitions', LIMIT);
  const start = textParameter(query, 'start_partitionId');
  const after = start === undefined ? undefined : parsePartitionId(start);
  const { partitions, hasMorePartitions } = await describeStream(services, stream, limit, after);
  return {
    ...streamSummary(stream),
    last_modified_time: stream.updatedAt,
    data_schema: stream.dataSchema,
    compression_format: stream.compressionFormat,
    csv_properties: stream.csvDelimiter === undefined ? undefined : { delimiter: stream.csvDelimiter },
    writable_partition_count: stream.partitions.filter(({ status }) => status === 'ACTIVE').length,
    readable_partition_count: stream.partitions.filter(({ status }) => status !== 'EXPIRED').length,
    partitions: partitions.map(({ partition, bounds }) => partitionReply(partition, bounds)),
    has_more_partitions: hasMorePartitions,
    update_partition_counts: [],
  };
}

function partitionReply({ id, status, hashLow, hashHigh, parents }: Partition, { first, next }: PartitionBounds) {
  return {
    status,
    partition_id: id,
    hash_range: `[${hashLow} : ${hashHigh}]`,
    sequence_number_range: `[${first} : ${next}]`,
    parent_partitions: parents.length === 0 ? undefined : parents.join(','),
  };
}
