/** PUT /v3/{project_id}/streams/{stream_name}: changes what is given of a stream's settings. 204. */
import { updateStream, type StreamUpdate } from '../../../streams/update-stream.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { UpdateStreamBody } from '../../schemas/stream-changes.ts';
import type { Services } from '../../services.ts';
import { streamToChange } from './named-in-body.ts';

export function updateStreamRoute(app: App, services: Services): void {
  app.put<{ Params: { projectId: string; streamName: string }; Body: UpdateStreamBody }>(
    '/v3/:projectId/streams/:streamName',
    {
      config: { operation: 'updateStream', permission: 'streams' },
      schema: {
        summary: 'Change retention, data type, schema or automatic scaling',
        body: UpdateStreamBody,
        response: { 204: Empty },
      },
    },
    async ({ params, principal, body }, reply) => {
      const stream = streamToChange(services, principal, params.streamName, body.stream_name);
      await updateStream(services, stream, {
        retentionHours: body.data_duration ?? undefined,
        dataType: body.data_type || undefined,
        dataSchema: body.data_schema || undefined,
        ...autoScaleUpdate(body),
      });
      return reply.code(204).send();
    },
  );
}

export function autoScaleUpdate(
  body: Pick<
    UpdateStreamBody,
    'auto_scale_enabled' | 'auto_scale_min_partition_count' | 'auto_scale_max_partition_count'
  >,
): StreamUpdate {
  return {
    autoScaleEnabled: body.auto_scale_enabled ?? undefined,
    autoScaleMin: body.auto_scale_min_partition_count ?? undefined,
    autoScaleMax: body.auto_scale_max_partition_count ?? undefined,
  };
}
