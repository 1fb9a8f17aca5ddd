/** GET /v2/{project_id}/cursors: a place in a partition to read from. */
import { DomainError } from '../../../model/errors.ts';
import { CURSOR_TYPES, getCursor } from '../../../streams/get-cursor.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { expectedText, queryOf, text, type Query } from '../../query.ts';
import { CursorReply } from '../../schemas/cursors.ts';
import type { Services } from '../../services.ts';

const QUERY = queryOf({
  'stream-name': text('name of the stream; this or stream-id'),
  'stream-id': text('id of the stream, which may be another account’s'),
  'partition-id': expectedText('`shardId-0000000000` or `0`'),
  'cursor-type': text(`one of ${CURSOR_TYPES.join(', ')}; default AT_SEQUENCE_NUMBER`),
  'starting-sequence-number': text('for the two types that name a record: its sequence number'),
  timestamp: text('for AT_TIMESTAMP: milliseconds since 1970'),
});

export function getCursorRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/cursors',
    {
      config: { operation: 'getCursor', permission: 'data' },
      schema: { summary: 'Get a cursor', querystring: QUERY.schema, response: { 200: CursorReply } },
    },
    async ({ query, principal }) => {
      const wanted = QUERY.read(query);
      const name = { name: wanted['stream-name'], id: wanted['stream-id'] };
      if (!name.name && !name.id) throw new DomainError('InvalidRequest', ['stream-name', 'is missing']);
      const partitionId = wanted['partition-id'];
      if (partitionId === undefined) throw new DomainError('InvalidPartitionId', ['partition-id', 'is missing']);
      const stream = findStream(services.registry, principal, name, 'getRecords');
      const cursor = await getCursor(services, stream, {
        partitionId,
        type: wanted['cursor-type'],
        sequenceNumber: wanted['starting-sequence-number'],
        timestamp: wanted.timestamp,
      });
      return { partition_cursor: cursor };
    },
  );
}
