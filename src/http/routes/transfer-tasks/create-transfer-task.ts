/** POST /v2/{project_id}/streams/{stream_name}/transfer-tasks: 201 with an empty body. */
import { createTask } from '../../../dump/create-task.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskBody } from '../../schemas/transfer-tasks.ts';
import { toDescriptor } from './descriptor.ts';
import { streamPaths, type StreamParams } from './paths.ts';

export function createTransferTaskRoute(app: App, services: DumpServices): void {
  for (const path of streamPaths('/transfer-tasks')) {
    app.post<{ Params: StreamParams; Body: TransferTaskBody }>(
      path,
      { config: { operation: 'createTransferTask' }, schema: { body: TransferTaskBody } },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await createTask(services, stream, toDescriptor(body));
        return reply.code(201).send();
      },
    );
  }
}
