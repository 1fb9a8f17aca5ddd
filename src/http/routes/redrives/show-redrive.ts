/** GET …/transfer-tasks/{task_name}/redrive: what is being redriven, and what could be. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { showRedrive } from '../../../dump/redrive/show-redrive.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { RedriveReply } from '../../schemas/redrives.ts';
import { streamPaths, type TaskParams } from '../transfer-tasks/paths.ts';

export function showRedriveRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName/redrive')) {
    app.get<{ Params: TaskParams }>(
      path,
      {
        config: { operation: 'showRedrive' },
        schema: { hide, summary: 'Show the redrives of a dump task', response: { 200: RedriveReply } },
      },
      async ({ params, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { open, failure, dead } = await showRedrive(services, stream, params.taskName);
        return {
          redrive: {
            cuts: open.rows,
            records: open.records,
            ...(failure === undefined ? {} : { error_code: failure.errorCode, cause: failure.cause }),
          },
          dead_letters: { cuts: dead.rows, records: dead.records },
        };
      },
    );
  }
}
