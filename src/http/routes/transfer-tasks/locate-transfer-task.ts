/** GET /v2/{project_id}/transfer-tasks/{task_id}: where a dump task is, for whoever has its id only. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { locateTask } from '../../../dump/tasks/locate-task.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskPlace } from '../../schemas/transfer-task-place.ts';

export function locateTransferTaskRoute(app: App, services: DumpServices): void {
  app.get<{ Params: { taskId: string } }>(
    '/v2/:projectId/transfer-tasks/:taskId',
    {
      config: { operation: 'locateTransferTask' },
      schema: { summary: 'Find a dump task by its id', response: { 200: TransferTaskPlace } },
    },
    async ({ params, principal }) => {
      const task = await locateTask(services, principal.projectId, params.taskId);
      return {
        task_id: task.task_id,
        task_name: task.name,
        stream_id: task.stream_id,
        stream_name: task.stream_name,
        kind: task.kind,
        parent_task_id: task.parent_id,
        state: task.state,
        create_time: task.created_at,
        delete_time: task.deleted_at,
      };
    },
  );
}
