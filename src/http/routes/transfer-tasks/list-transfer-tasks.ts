/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks: a page of tasks in order of name. */
import type { DumpTaskSummary } from '../../../catalog/dump-tasks.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { listTasks } from '../../../dump/tasks/list-tasks.ts';
import { DESTINATION_TYPE } from '../../../dump/settings/settings.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { TransferTaskListReply } from '../../schemas/transfer-tasks.ts';
import { streamPaths, type StreamParams } from './paths.ts';

const QUERY = queryOf({
  limit: integer({ min: 1, max: 10, fallback: 10 }, 'tasks of the page'),
  start_task_name: text('the page begins behind this name'),
});

export function listTransferTasksRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks')) {
    app.get<{ Params: StreamParams; Querystring: Query }>(
      path,
      {
        config: { operation: 'listTransferTasks' },
        schema: {
          hide,
          summary: 'List dump tasks',
          querystring: QUERY.schema,
          response: { 200: TransferTaskListReply },
        },
      },
      async ({ params, query, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { limit, start_task_name: after } = QUERY.read(query);
        const { total, tasks } = await listTasks(services, stream, limit, after);
        return { total_number: total, quota: services.limits.tasks_per_stream, tasks: tasks.map(summary) };
      },
    );
  }
}

function summary(task: DumpTaskSummary) {
  return {
    task_id: task.task_id,
    task_name: task.name,
    state: task.state,
    destination_type: DESTINATION_TYPE,
    create_time: task.created_at,
    last_transfer_timestamp: task.last_transfer_at ?? 0,
  };
}
