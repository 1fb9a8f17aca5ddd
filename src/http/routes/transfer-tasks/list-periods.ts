/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}/periods: which time directories are complete. */
import { taskByName, type DumpServices } from '../../../dump/dump-services.ts';
import { listPeriods } from '../../../dump/periods/list-periods.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import type { Query } from '../../query.ts';
import { PeriodListReply } from '../../schemas/periods.ts';
import { streamPaths, type TaskParams } from './paths.ts';
import { describePeriods, PERIOD_QUERY_SCHEMA, readPeriodQuery } from './periods-reply.ts';

export function listPeriodsRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName/periods')) {
    app.get<{ Params: TaskParams; Querystring: Query }>(
      path,
      {
        config: { operation: 'listPeriods' },
        schema: {
          hide,
          summary: 'List the time directories of a dump task, the newest first',
          querystring: PERIOD_QUERY_SCHEMA,
          response: { 200: PeriodListReply },
        },
      },
      async ({ params, query, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { task_id } = await taskByName(services, stream, params.taskName);
        return describePeriods(await listPeriods(services, task_id, readPeriodQuery(query)));
      },
    );
  }
}
