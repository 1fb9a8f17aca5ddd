/** DELETE /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}: 204. */
import { deleteTask } from '../../../dump/delete-task.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { streamPaths, type TaskParams } from './paths.ts';

export function deleteTransferTaskRoute(app: App, services: DumpServices): void {
  for (const path of streamPaths('/transfer-tasks/:taskName')) {
    app.delete<{ Params: TaskParams }>(
      path,
      { config: { operation: 'deleteTransferTask' } },
      async ({ params, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await deleteTask(services, stream, params.taskName);
        return reply.code(204).send();
      },
    );
  }
}
