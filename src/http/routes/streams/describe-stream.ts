/** GET /v2/{project_id}/streams/{stream_name}: a stream and a page of its partitions. */
import { parsePartitionId } from '../../../model/partition-id.ts';
import type { Partition, Stream } from '../../../model/stream.ts';
import type { PartitionBounds } from '../../../recordlog/record-log.ts';
import { describeStream } from '../../../streams/describe-stream.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { StreamReply } from '../../schemas/streams.ts';
import type { Services } from '../../services.ts';
import { scalingReply, streamSummary } from './stream-reply.ts';

/** What tells which partitions of a stream are described. */
export const PARTITION_PAGE = {
  limit_partitions: integer({ min: 1, max: 1000, fallback: 100 }, 'partitions of the page'),
  start_partitionId: text('the page begins behind this partition'),
};
const PAGE = queryOf(PARTITION_PAGE);
const QUERY = queryOf({ ...PARTITION_PAGE, stream_id: text('id of a stream, which may be another account’s') });

export function describeStreamRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string; streamName: string }; Querystring: Query }>(
    '/v2/:projectId/streams/:streamName',
    {
      config: { operation: 'describeStream' },
      schema: { summary: 'Describe a stream', querystring: QUERY.schema, response: { 200: StreamReply } },
    },
    (request) => {
      const { params, principal, query } = request;
      const name = { name: params.streamName, id: QUERY.read(query).stream_id };
      const stream = findStream(services.registry, principal, name, 'getStreamInfo');
      return describeReply(services, stream, request.query);
    },
  );
}

/** The answer about a stream; `query` tells which of its partitions. */
export async function describeReply(services: Services, stream: Stream, query: Query) {
  const { limit_partitions: limit, start_partitionId: start } = PAGE.read(query);
  const after = start === undefined ? undefined : parsePartitionId(start);
  const description = await describeStream(services, stream, limit, after);
  return {
    ...streamSummary(stream),
    last_modified_time: stream.updatedAt,
    data_schema: stream.dataSchema,
    compression_format: stream.compressionFormat,
    csv_properties: stream.csvDelimiter === undefined ? undefined : { delimiter: stream.csvDelimiter },
    writable_partition_count: description.writable,
    readable_partition_count: description.readable,
    partitions: description.partitions.map(({ partition, bounds }) => partitionReply(partition, bounds)),
    has_more_partitions: description.hasMorePartitions,
    update_partition_counts: description.scalings.map(scalingReply),
  };
}

function partitionReply({ id, status, hashLow, hashHigh, parents }: Partition, { first, next }: PartitionBounds) {
  return {
    status,
    partition_id: id,
    hash_range: `[${hashLow} : ${hashHigh}]`,
    // The Kafka adapter takes its absence for what it means.
    sequence_number_range: status === 'EXPIRED' ? undefined : `[${first} : ${next}]`,
    parent_partitions: parents.length === 0 ? undefined : parents.join(','),
  };
}
