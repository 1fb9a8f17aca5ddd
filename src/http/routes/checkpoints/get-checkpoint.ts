/** GET /v2/{project_id}/checkpoints: 200 also when nothing was committed, with the number -1. */
import { getCheckpoint } from '../../../apps/checkpoints/get-checkpoint.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { queryOf, requiredText, text, type Query } from '../../query.ts';
import { CheckpointReply } from '../../schemas/checkpoints.ts';
import type { Services } from '../../services.ts';
import { checkpointType } from './checkpoint-type.ts';

const QUERY = queryOf({
  app_name: requiredText('name of the app'),
  checkpoint_type: checkpointType,
  stream_name: text('name of the stream; this or stream_id'),
  stream_id: text('id of the stream, which may be another account’s'),
  partition_id: requiredText('`shardId-0000000000` or `0`'),
});

export function getCheckpointRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/checkpoints',
    {
      config: { operation: 'getCheckpoint' },
      schema: { summary: 'Get a checkpoint', querystring: QUERY.schema, response: { 200: CheckpointReply } },
    },
    async ({ query, principal }) => {
      const wanted = QUERY.read(query);
      const name = { name: wanted.stream_name, id: wanted.stream_id };
      if (!name.name && !name.id) throw new DomainError('InvalidRequest', ['stream_name', 'is missing']);
      const found = await getCheckpoint(services, principal, wanted.app_name, name, wanted.partition_id);
      return { sequence_number: String(found?.sequence ?? -1), metadata: found?.metadata ?? '' };
    },
  );
}
