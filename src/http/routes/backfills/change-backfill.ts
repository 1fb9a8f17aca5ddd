/** POST …/transfer-tasks/{task_name}/backfills/{backfill_id}/action: pause or resume. 200 with an empty body. */
import { changeBackfill } from '../../../dump/backfill/change-backfill.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { BackfillActionBody } from '../../schemas/backfills.ts';
import { Empty } from '../../schemas/empty.ts';
import { backfillPaths, type BackfillParams } from './paths.ts';

export function changeBackfillRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths('/:backfillId/action')) {
    app.post<{ Params: BackfillParams; Body: BackfillActionBody }>(
      path,
      {
        config: { operation: 'changeBackfill' },
        schema: { hide, summary: 'Pause or resume a backfill', body: BackfillActionBody, response: { 200: Empty } },
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await changeBackfill(services, stream, params.taskName, params.backfillId, body.action);
        return reply.code(200).send();
      },
    );
  }
}
