/**
 * POST …/transfer-tasks/{task_name}/backfills: deliver a range of the stream once more. 201 with what is going to be
 * delivered, or, for a dry run, 200 with what would be.
 */
import { createBackfill, planBackfill } from '../../../dump/backfill/create-backfill.ts';
import type { BackfillRange } from '../../../dump/backfill/backfill-range.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { formatPartitionId } from '../../../model/partition-id.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { BackfillPlanReply, CreateBackfillBody, CreateBackfillReply } from '../../schemas/backfills.ts';
import type { TaskParams } from '../transfer-tasks/paths.ts';
import { backfillPaths } from './paths.ts';

export function createBackfillRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of backfillPaths()) {
    app.post<{ Params: TaskParams; Body: CreateBackfillBody }>(
      path,
      {
        config: { operation: 'createBackfill' },
        schema: {
          hide,
          summary: 'Deliver a range of a stream again',
          body: CreateBackfillBody,
          response: { 200: BackfillPlanReply, 201: CreateBackfillReply },
        },
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { file_prefix: prefix, from, to, obs_destination_descriptor: changes, dry_run: dryRun } = body;
        const request = { prefix, from: from ?? null, to: to ?? null, changes: changes ?? {} };
        if (dryRun === true) {
          const { ranges, bytes } = await planBackfill(services, stream, params.taskName, request);
          const partitions = ranges.map((range, index) => ({ ...describeRange(range), bytes: bytes[index]! }));
          return reply.code(200).send({ ...totals(ranges), bytes: bytes.reduce((a, b) => a + b, 0), partitions });
        }
        const { id, ranges } = await createBackfill(services, stream, params.taskName, request);
        return reply.code(201).send({ backfill_id: id, ...totals(ranges), partitions: ranges.map(describeRange) });
      },
    );
  }
}

function totals(ranges: readonly BackfillRange[]) {
  return {
    records: ranges.reduce((sum, { from, to }) => sum + to - from, 0),
    truncated: ranges.some(({ truncated }) => truncated),
  };
}

function describeRange({ ref, from, to, truncated }: BackfillRange) {
  return {
    partitionId: formatPartitionId(ref.partition),
    from_sequence_number: String(from),
    to_sequence_number: String(to),
    records: to - from,
    truncated,
  };
}
