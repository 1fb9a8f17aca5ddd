/** POST …/transfer-tasks/{task_name}/redrive: convert all dead letters of a task once more. 202: it is done in the background. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { planRedrives } from '../../../dump/redrive/plan-redrives.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { CreateRedriveReply } from '../../schemas/redrives.ts';
import { streamPaths, type TaskParams } from '../transfer-tasks/paths.ts';

export function createRedriveRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName/redrive')) {
    app.post<{ Params: TaskParams }>(
      path,
      {
        config: { operation: 'createRedrive' },
        schema: { hide, summary: 'Redrive the dead letters of a dump task', response: { 202: CreateRedriveReply } },
      },
      async ({ params, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        return reply.code(202).send({ redrive: await planRedrives(services, stream, params.taskName) });
      },
    );
  }
}
