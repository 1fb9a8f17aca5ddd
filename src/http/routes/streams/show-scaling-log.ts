/** GET /v2/{project_id}/streams/{stream_name}/update_partition_counts: the scalings of the last seven days. */
import { recentScalings } from '../../../streams/scaling-log.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { ScalingLogReply } from '../../schemas/stream-changes.ts';
import type { Services } from '../../services.ts';
import { scalingReply } from './stream-reply.ts';

export function showScalingLogRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string; streamName: string } }>(
    '/v2/:projectId/streams/:streamName/update_partition_counts',
    {
      config: { operation: 'showScalingLog' },
      schema: { summary: 'Show the scaling log of a stream', response: { 200: ScalingLogReply } },
    },
    ({ params, principal }) => {
      const stream = findStream(services.registry, principal, { name: params.streamName });
      const scalings = recentScalings(stream, services.clock.now());
      const entries = scalings.map((event) => ({ ...scalingReply(event), result_msg: event.message }));
      return { total_number: entries.length, update_partition_counts: entries };
    },
  );
}
