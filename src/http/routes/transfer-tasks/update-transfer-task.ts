/** PUT /v2/{project_id}/streams/{stream_name}/transfer-tasks: the body names the task. 200 with an empty body. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { updateTask } from '../../../dump/tasks/update-task.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { TransferTaskBody } from '../../schemas/transfer-tasks.ts';
import { refuseOtherDestinations } from './destinations.ts';
import { streamPaths, type StreamParams } from './paths.ts';

export function updateTransferTaskRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks')) {
    app.put<{ Params: StreamParams; Body: TransferTaskBody }>(
      path,
      {
        config: { operation: 'updateTransferTask' },
        schema: { hide, summary: 'Update a dump task', body: TransferTaskBody, response: { 200: Empty } },
        preValidation: async ({ body }) => refuseOtherDestinations(body),
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await updateTask(services, stream, body.obs_destination_descriptor);
        return reply.code(200).send();
      },
    );
  }
}
