/** GET /v2/{project_id}/cursors: a place in a partition to read from. */
import { DomainError } from '../../../model/errors.ts';
import { getCursor } from '../../../streams/get-cursor.ts';
import type { App } from '../../fastify-types.ts';
import { textParameter, type Query } from '../../query.ts';
import type { Services } from '../../services.ts';

export function getCursorRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/cursors',
    { config: { operation: 'getCursor' } },
    async ({ query, params }) => {
      const name = textParameter(query, 'stream-name');
      const id = textParameter(query, 'stream-id');
      const partitionId = textParameter(query, 'partition-id');
      if (name === undefined && id === undefined)
        throw new DomainError('InvalidRequest', ['stream-name', 'is missing']);
      if (partitionId === undefined) throw new DomainError('InvalidPartitionId', ['partition-id', 'is missing']);
      const stream = services.registry.get(params.projectId, name, id);
      const cursor = await getCursor(services, stream, {
        partitionId,
        type: textParameter(query, 'cursor-type'),
        sequenceNumber: textParameter(query, 'starting-sequence-number'),
        timestamp: textParameter(query, 'timestamp'),
      });
      return { partition_cursor: cursor };
    },
  );
}
