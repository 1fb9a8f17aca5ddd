/** GET /v2/{project_id}/apps/{app_name}/streams/{stream_name}: how far an app has come in each partition. */
import { consumptionState, type PartitionState } from '../../../apps/consumption-state.ts';
import { parsePartitionId } from '../../../model/partition-id.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { ConsumptionStateReply } from '../../schemas/apps.ts';
import { CHECKPOINT_TYPE } from '../../schemas/checkpoints.ts';
import type { Services } from '../../services.ts';
import { checkpointType } from '../checkpoints/checkpoint-type.ts';
import type { AppParams } from './paths.ts';

const QUERY = queryOf({
  checkpoint_type: checkpointType,
  limit: integer({ min: 1, max: 1000, fallback: 100 }, 'partitions of the page'),
  start_partition_id: text('`shardId-0000000000`: the page begins behind it; a bare number: it begins with it'),
  stream_id: text('id of the stream, which may be another account’s'),
});

export function showConsumptionStateRoute(app: App, services: Services): void {
  app.get<{ Params: AppParams & { streamName: string }; Querystring: Query }>(
    '/v2/:projectId/apps/:appName/streams/:streamName',
    {
      config: { operation: 'showConsumptionState' },
      schema: {
        summary: 'Show how far an app has come in a stream',
        querystring: QUERY.schema,
        response: { 200: ConsumptionStateReply },
      },
    },
    async ({ params, query, principal }) => {
      const { limit, start_partition_id: start, stream_id: id } = QUERY.read(query);
      const found = services.apps.require(params.projectId, params.appName);
      const stream = findStream(services.registry, principal, { name: params.streamName, id }, 'getRecords');
      const { states, hasMore } = await consumptionState(services, found, stream, { from: firstOf(start), limit });
      return {
        has_more: hasMore,
        stream_name: stream.name,
        app_name: found.name,
        partition_consuming_states: states.map(stateReply),
      };
    },
  );
}

/** Newer clients send the last partition of the page before; the Python client sends the number to begin with, 0. */
function firstOf(start: string | undefined): number {
  if (start === undefined) return 0;
  const number = parsePartitionId(start);
  return /^\d/.test(start) ? number : number + 1;
}

function stateReply({ partition, status, bounds, checkpoint }: PartitionState) {
  return {
    partition_id: partition.id,
    sequence_number: String(checkpoint?.sequence ?? -1),
    earliest_offset: bounds.first,
    latest_offset: bounds.next,
    checkpoint_type: CHECKPOINT_TYPE,
    status,
    metadata: checkpoint?.metadata ?? '',
  };
}
