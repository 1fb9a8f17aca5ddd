/** PUT /v2/{project_id}/streams/{stream_name}: changes the number of partitions. */
import { scaleStream } from '../../../streams/scale-stream.ts';
import type { App } from '../../fastify-types.ts';
import { ScaleStreamBody, ScaleStreamReply } from '../../schemas/stream-changes.ts';
import type { Services } from '../../services.ts';
import { streamToChange } from './named-in-body.ts';

export function scaleStreamRoute(app: App, services: Services): void {
  app.put<{ Params: { projectId: string; streamName: string }; Body: ScaleStreamBody }>(
    '/v2/:projectId/streams/:streamName',
    {
      config: { operation: 'scaleStream', permission: 'streams' },
      schema: {
        summary: 'Change the number of partitions',
        body: ScaleStreamBody,
        response: { 200: ScaleStreamReply },
      },
    },
    async ({ params, principal, body }) => {
      const stream = streamToChange(services, principal, params.streamName, body.stream_name);
      const { from, to } = await scaleStream(services, stream, body.target_partition_count);
      return { stream_name: stream.name, current_partition_count: from, target_partition_count: to };
    },
  );
}
