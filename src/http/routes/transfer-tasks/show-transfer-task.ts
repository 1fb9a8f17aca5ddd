/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}: one task with its partitions. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { describeSettings } from '../../../dump/settings/describe-settings.ts';
import { DESTINATION_TYPE } from '../../../dump/settings/settings.ts';
import { showTask, type PartitionProgress, type Trouble } from '../../../dump/tasks/show-task.ts';
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
        const task = await showTask(services, stream, params.taskName);
        return {
          stream_id: stream.id,
          stream_name: stream.name,
          task_id: task.id,
          task_name: task.name,
          state: task.state,
          destination_type: DESTINATION_TYPE,
          create_time: task.createdAt,
          last_transfer_timestamp: task.lastTransferAt ?? 0,
          partitions: task.partitions.map(progress),
          obs_destination_description: describeSettings(task.settings),
          ...(task.draining ? { draining: true } : {}),
          ...describeTrouble(task.trouble),
          dead_letters: task.deadLetters,
          undelivered_records: task.undelivered,
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
    ...describeTrouble(partition.trouble),
    undelivered_records: partition.undelivered,
    ...present('oldest_undelivered_timestamp', partition.oldestAt),
    ...present('expires_at', partition.expiresAt),
  };
}

/** Members beyond DIS; none when nothing is wrong. */
function describeTrouble(trouble: Trouble | undefined) {
  if (trouble === undefined) return {};
  const { errorCode, cause, since, nextTry } = trouble;
  return { error_code: errorCode, cause, ...present('failing_since', since), ...present('next_try', nextTry) };
}

function present(name: string, value: number | undefined): Readonly<Record<string, number>> {
  return value === undefined ? {} : { [name]: value };
}
