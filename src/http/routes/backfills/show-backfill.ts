/** GET …/transfer-tasks/{task_name}/backfills/{backfill_id}: how far a backfill has got in each partition. */
import { showBackfill, type BackfillProgress } from '../../../dump/backfill/show-backfill.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { describeSettings } from '../../../dump/settings/describe-settings.ts';
import type { Trouble } from '../../../dump/tasks/show-task.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { BackfillReply } from '../../schemas/backfills.ts';
import { backfillPaths, type BackfillParams } from './paths.ts';

export function showBackfillRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths('/:backfillId')) {
    app.get<{ Params: BackfillParams }>(
      path,
      {
        config: { operation: 'showBackfill' },
        schema: { hide, summary: 'Show a backfill', response: { 200: BackfillReply } },
      },
      async ({ params, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const found = await showBackfill(services, stream, params.taskName, params.backfillId);
        const { parent, settings, partitions } = found;
        const sum = (of: (progress: BackfillProgress) => number) => partitions.reduce((all, one) => all + of(one), 0);
        return {
          backfill_id: found.id,
          task_id: parent.task_id,
          task_name: parent.name,
          state: found.state,
          create_time: found.createdAt,
          last_transfer_timestamp: found.lastTransferAt ?? 0,
          records: sum(({ from, to }) => to - from),
          records_left: sum(({ position, to }) => to - position),
          discard: sum(({ discarded }) => discarded),
          ...describeTrouble(found.trouble),
          partitions: partitions.map(describeProgress),
          obs_destination_description: describeSettings(settings),
        };
      },
    );
  }
}

function describeProgress(progress: BackfillProgress) {
  const { partitionId, from, position, to, discarded, lastTransferAt, trouble, state } = progress;
  return {
    partitionId,
    state,
    from_sequence_number: String(from),
    next_sequence_number: String(position),
    to_sequence_number: String(to),
    records: to - from,
    records_left: to - position,
    discard: discarded,
    last_transfer_timestamp: lastTransferAt ?? 0,
    ...describeTrouble(trouble),
  };
}

function describeTrouble(trouble: Trouble | undefined) {
  return trouble === undefined ? {} : { error_code: trouble.errorCode, cause: trouble.cause };
}
