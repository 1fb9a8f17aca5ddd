/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}: one task with its partitions. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { DESTINATION_TYPE, describeSettings } from '../../../dump/settings.ts';
import { showTask, type PartitionProgress } from '../../../dump/show-task.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskReply } from '../../schemas/transfer-tasks.ts';
import { streamPaths, type TaskParams } from './paths.ts';

export function showTransferTaskRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName')) {
    app.get<{ Params: TaskParams }>(
      path,
      {
        config: { operation: 'showTransferTask' },
        schema: { hide, summary: 'Show a dump task', response: { 200: TransferTaskReply } },
      },
      async ({ params, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { task, settings, lastTransferAt, partitions } = await showTask(services, stream, params.taskName);
        return {
          stream_id: stream.id,
          stream_name: stream.name,
          task_id: task.task_id,
          task_name: task.name,
          state: task.state,
          destination_type: DESTINATION_TYPE,
          create_time: task.created_at,
          last_transfer_timestamp: lastTransferAt ?? 0,
          partitions: partitions.map(progress),
          obs_destination_description: describeSettings(settings),
        };
      },
    );
  }
}

/** Times are 0 before the first file. The offset is that of the first record which is not delivered yet. */
function progress(partition: PartitionProgress) {
  return {
    partitionId: partition.partitionId,
    state: partition.state,
    discard: partition.discarded,
    last_transfer_timestamp: partition.lastTransferAt ?? 0,
    last_transfer_offset: partition.position,
  };
}
