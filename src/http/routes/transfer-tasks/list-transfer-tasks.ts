/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks: a page of tasks in order of name. */
import type { DumpTaskSummary } from '../../../catalog/dump-tasks.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { listTasks } from '../../../dump/list-tasks.ts';
import { DESTINATION_TYPE } from '../../../dump/settings.ts';
import type { App } from '../../fastify-types.ts';
import { integerParameter, textParameter, type Query } from '../../query.ts';
import { streamPaths, type StreamParams } from './paths.ts';

const LIMIT = { min: 1, max: 10, fallback: 10 };

export function listTransferTasksRoute(app: App, services: DumpServices): void {
  for (const path of streamPaths('/transfer-tasks')) {
    app.get<{ Params: StreamParams; Querystring: Query }>(
      path,
      { config: { operation: 'listTransferTasks' } },
      async ({ params, query }) => {
        const stream = services.registry.get(params.projectId, params.streamName);
        const limit = integerParameter(query, 'limit', LIMIT);
        const { total, tasks } = await listTasks(services, stream, limit, textParameter(query, 'start_task_name'));
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
