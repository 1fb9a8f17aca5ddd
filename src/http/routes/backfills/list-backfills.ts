/** GET …/transfer-tasks/{task_name}/backfills: a page of the backfills of a task, the newest first. */
import type { BackfillRow } from '../../../catalog/dump-backfills.ts';
import type { DumpTaskRow } from '../../../catalog/dump-tasks.ts';
import { listBackfills } from '../../../dump/backfill/show-backfill.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { BackfillListReply } from '../../schemas/backfills.ts';
import type { TaskParams } from '../transfer-tasks/paths.ts';
import { backfillPaths } from './paths.ts';

const QUERY = queryOf({
  limit: integer({ min: 1, max: 100, fallback: 10 }, 'backfills of the page'),
  start_backfill_id: text('the page begins behind this one'),
});

export function listBackfillsRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths()) {
    app.get<{ Params: TaskParams; Querystring: Query }>(
      path,
      {
        config: { operation: 'listBackfills' },
        schema: { hide, summary: 'List backfills', querystring: QUERY.schema, response: { 200: BackfillListReply } },
      },
      async ({ params, query, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { limit, start_backfill_id: after } = QUERY.read(query);
        const { parent, total, backfills } = await listBackfills(services, stream, params.taskName, limit, after);
        return {
          total_number: total,
          quota: services.limits.backfills_per_task,
          backfills: backfills.map((row) => summary(parent, row)),
        };
      },
    );
  }
}

function summary(parent: DumpTaskRow, row: BackfillRow) {
  return {
    backfill_id: row.task_id,
    task_id: parent.task_id,
    task_name: parent.name,
    state: row.state,
    create_time: row.created_at,
    last_transfer_timestamp: row.last_transfer_at ?? 0,
    records: row.records,
    records_left: row.records_left,
    discard: row.discarded,
  };
}
