/** POST /v2/{project_id}/streams/{stream_name}/transfer-tasks: 201 with an empty body. */
import { createTask } from '../../../dump/tasks/create-task.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { TransferTaskBody } from '../../schemas/transfer-tasks.ts';
import { refuseOtherDestinations } from './destinations.ts';
import { streamPaths, type StreamParams } from './paths.ts';

export function createTransferTaskRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks')) {
    app.post<{ Params: StreamParams; Body: TransferTaskBody }>(
      path,
      {
        config: { operation: 'createTransferTask' },
        schema: { hide, summary: 'Create a dump task', body: TransferTaskBody, response: { 201: Empty } },
        preValidation: async ({ body }) => refuseOtherDestinations(body),
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await createTask(services, stream, body.obs_destination_descriptor);
        return reply.code(201).send();
      },
    );
  }
}
