/** PUT /v2/{project_id}/streams/{stream_name}/update: automatic scaling, or, as the Java SDK sends it, the data type. */
import { DomainError } from '../../../model/errors.ts';
import { updateStream } from '../../../streams/update-stream.ts';
import type { App } from '../../fastify-types.ts';
import { UpdateStreamByTypeBody, UpdateStreamByTypeReply } from '../../schemas/stream-changes.ts';
import type { Services } from '../../services.ts';
import { streamToChange } from './named-in-body.ts';
import { autoScaleUpdate } from './update-stream.ts';

export function updateStreamByTypeRoute(app: App, services: Services): void {
  app.put<{ Params: { projectId: string; streamName: string }; Body: UpdateStreamByTypeBody }>(
    '/v2/:projectId/streams/:streamName/update',
    {
      config: { operation: 'updateStreamByType', permission: 'streams' },
      schema: {
        summary: 'Change automatic scaling (update_type AUTO_SCALE) or the data type (DATA_TYPE)',
        body: UpdateStreamByTypeBody,
        response: { 200: UpdateStreamByTypeReply },
      },
    },
    async ({ params, principal, body }) => {
      const stream = streamToChange(services, principal, params.streamName, body.stream_name);
      if (body.update_type !== 'DATA_TYPE') {
        await updateStream(services, stream, autoScaleUpdate(body));
        return { stream_name: stream.name };
      }
      if (!body.data_type) throw new DomainError('InvalidBody', ['data_type', 'is missing']);
      await updateStream(services, stream, {
        dataType: body.data_type,
        dataSchema: body.data_schema || undefined,
      });
      return { stream_name: stream.name, target_data_type: body.data_type };
    },
  );
}
