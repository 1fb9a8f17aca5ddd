/** POST /v2/{project_id}/streams/{stream_name}/transfer-tasks/action: start or stop tasks. 200 with an empty body. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { startTasks } from '../../../dump/tasks/start-tasks.ts';
import { stopTasks } from '../../../dump/tasks/stop-tasks.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { TransferTaskActionBody } from '../../schemas/transfer-tasks.ts';
import { streamPaths, type StreamParams } from './paths.ts';

export function changeTransferTasksRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/action')) {
    app.post<{ Params: StreamParams; Body: TransferTaskActionBody }>(
      path,
      {
        config: { operation: 'changeTransferTasks' },
        schema: { hide, summary: 'Start or stop dump tasks', body: TransferTaskActionBody, response: { 200: Empty } },
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const taskIds = body.tasks.map(({ id }) => id);
        if (body.action === 'start') await startTasks(services, stream, taskIds);
        else await stopTasks(services, stream, taskIds, body.mode || undefined);
        return reply.code(200).send();
      },
    );
  }
}
