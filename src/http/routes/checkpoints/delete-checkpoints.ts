/** DELETE /v2/{project_id}/checkpoints: 204, also when there are none. */
import { deleteCheckpoints } from '../../../apps/checkpoints/delete-checkpoints.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { oneOf, queryOf, requiredText, text, type Query } from '../../query.ts';
import { CHECKPOINT_TYPE } from '../../schemas/checkpoints.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';

const QUERY = queryOf({
  app_name: requiredText('name of the app'),
  checkpoint_type: oneOf([CHECKPOINT_TYPE], 'old clients leave it out'),
  stream_name: text('name of the stream; this or stream_id'),
  stream_id: text('id of the stream, which may be another account’s'),
  partition_id: text('`shardId-0000000000` or `0`; absent: all partitions'),
});

export function deleteCheckpointsRoute(app: App, services: Services): void {
  app.delete<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/checkpoints',
    {
      config: { operation: 'deleteCheckpoints', permission: 'data' },
      schema: { summary: 'Delete checkpoints', querystring: QUERY.schema, response: { 204: Empty } },
    },
    async ({ query, principal }, reply) => {
      const { app_name: appName, stream_name: name, stream_id: id, partition_id: partition } = QUERY.read(query);
      if (!name && !id) throw new DomainError('InvalidRequest', ['stream_name', 'is missing']);
      await deleteCheckpoints(services, principal, appName, { name, id }, partition);
      return reply.code(204).send();
    },
  );
}
