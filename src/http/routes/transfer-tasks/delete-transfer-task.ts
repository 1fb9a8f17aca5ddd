/** DELETE /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}: 204. */
import { deleteTask } from '../../../dump/tasks/delete-task.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { streamPaths, type TaskParams } from './paths.ts';

export function deleteTransferTaskRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName')) {
    app.delete<{ Params: TaskParams }>(
      path,
      {
        config: { operation: 'deleteTransferTask' },
        schema: { hide, summary: 'Delete a dump task', response: { 204: Empty } },
      },
      async ({ params, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await deleteTask(services, stream, params.taskName);
        return reply.code(204).send();
      },
    );
  }
}
