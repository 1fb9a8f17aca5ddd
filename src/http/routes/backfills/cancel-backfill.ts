/** DELETE …/transfer-tasks/{task_name}/backfills/{backfill_id}: 204. Its files and its log stay. */
import { cancelBackfill } from '../../../dump/backfill/change-backfill.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { backfillPaths, type BackfillParams } from './paths.ts';

export function cancelBackfillRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths('/:backfillId')) {
    app.delete<{ Params: BackfillParams }>(
      path,
      {
        config: { operation: 'cancelBackfill' },
        schema: {
          hide,
          summary: 'Cancel a backfill, or take a finished one out of the list',
          response: { 204: Empty },
        },
      },
      async ({ params, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await cancelBackfill(services, stream, params.taskName, params.backfillId);
        return reply.code(204).send();
      },
    );
  }
}
