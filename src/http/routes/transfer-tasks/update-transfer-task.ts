/** PUT /v2/{project_id}/streams/{stream_name}/transfer-tasks: the body names the task. 200 with an empty body. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { updateTask } from '../../../dump/update-task.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskBody } from '../../schemas/transfer-tasks.ts';
import { toDescriptor } from './descriptor.ts';
import { streamPaths, type StreamParams } from './paths.ts';

export function updateTransferTaskRoute(app: App, services: DumpServices): void {
  for (const path of streamPaths('/transfer-tasks')) {
    app.put<{ Params: StreamParams; Body: TransferTaskBody }>(
      path,
      { config: { operation: 'updateTransferTask' }, schema: { body: TransferTaskBody } },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await updateTask(services, stream, toDescriptor(body));
        return reply.code(200).send();
      },
    );
  }
}
