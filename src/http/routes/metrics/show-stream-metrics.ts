/** GET /v2/{project_id}/streams/{stream_name}/metrics: what went through a stream, minute by minute. */
import { queryMetrics } from '../../../metrics/query-metrics.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import type { Query } from '../../query.ts';
import { MetricsReply } from '../../schemas/metrics.ts';
import type { Services } from '../../services.ts';
import { METRICS_QUERY, metricsReply, readMetricsRequest } from './metrics-request.ts';

export function showStreamMetricsRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string; streamName: string }; Querystring: Query }>(
    '/v2/:projectId/streams/:streamName/metrics',
    {
      config: { operation: 'showStreamMetrics' },
      schema: {
        summary: 'Show the metrics of a stream',
        querystring: METRICS_QUERY.schema,
        response: { 200: MetricsReply },
      },
    },
    async ({ params, query, principal }) => {
      const request = readMetricsRequest(query);
      const stream = findStream(services.registry, principal, { name: params.streamName });
      return metricsReply(request, await queryMetrics(services, stream, undefined, request));
    },
  );
}
