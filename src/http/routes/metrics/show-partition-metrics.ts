/** GET /v2/{project_id}/streams/{stream_name}/partitions/{partition_id}/metrics: the same for one partition. */
import { queryMetrics } from '../../../metrics/query-metrics.ts';
import { DomainError } from '../../../model/errors.ts';
import { parsePartitionId } from '../../../model/partition-id.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import type { Query } from '../../query.ts';
import { MetricsReply } from '../../schemas/metrics.ts';
import type { Services } from '../../services.ts';
import { METRICS_QUERY, metricsReply, readMetricsRequest } from './metrics-request.ts';

export function showPartitionMetricsRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string; streamName: string; partitionId: string }; Querystring: Query }>(
    '/v2/:projectId/streams/:streamName/partitions/:partitionId/metrics',
    {
      config: { operation: 'showPartitionMetrics' },
      schema: {
        summary: 'Show the metrics of a partition',
        querystring: METRICS_QUERY.schema,
        response: { 200: MetricsReply },
      },
    },
    async ({ params, query, principal }) => {
      const request = readMetricsRequest(query);
      const stream = findStream(services.registry, principal, { name: params.streamName });
      // Also one that has expired: what went through it is still to be seen.
      const partition = stream.partitions[parsePartitionId(params.partitionId)];
      if (partition === undefined) throw new DomainError('PartitionNotFound', [stream.name, params.partitionId]);
      return metricsReply(request, await queryMetrics(services, stream, partition, request));
    },
  );
}
