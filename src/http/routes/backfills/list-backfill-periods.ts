/** GET …/transfer-tasks/{task_name}/backfills/{backfill_id}/periods: which time directories of a backfill are complete. */
import { findBackfill } from '../../../dump/backfill/find-backfill.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { listPeriods } from '../../../dump/periods/list-periods.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import type { Query } from '../../query.ts';
import { PeriodListReply } from '../../schemas/periods.ts';
import { describePeriods, PERIOD_QUERY_SCHEMA, readPeriodQuery } from '../transfer-tasks/periods-reply.ts';
import { backfillPaths, type BackfillParams } from './paths.ts';

export function listBackfillPeriodsRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths('/:backfillId/periods')) {
    app.get<{ Params: BackfillParams; Querystring: Query }>(
      path,
      {
        config: { operation: 'listBackfillPeriods' },
        schema: {
          hide,
          summary: 'List the time directories of a backfill, the newest first',
          querystring: PERIOD_QUERY_SCHEMA,
          response: { 200: PeriodListReply },
        },
      },
      async ({ params, query, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { backfill } = await findBackfill(services, stream, params.taskName, params.backfillId);
        return describePeriods(await listPeriods(services, backfill.task_id, readPeriodQuery(query)));
      },
    );
  }
}
