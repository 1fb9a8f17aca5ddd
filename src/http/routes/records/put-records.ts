/** POST /v2/{project_id}/records: 200 with one entry a record, in request order, also when some or all were refused. */
import { encodePutAnswer } from '../../../codec/records-json.ts';
import { DomainError } from '../../../model/errors.ts';
import { putRecords } from '../../../streams/put-records.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { PutRecordsBody, PutRecordsReply } from '../../schemas/records.ts';
import type { Services } from '../../services.ts';

export function putRecordsRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string }; Body: PutRecordsBody }>(
    '/v2/:projectId/records',
    {
      config: { operation: 'putRecords', permission: 'data' },
      schema: { summary: 'Put records', body: PutRecordsBody, response: { 200: PutRecordsReply } },
    },
    async (request, reply) => {
      const { stream_name, stream_id, records } = request.body;
      if (!stream_name && !stream_id) throw new DomainError('InvalidBody', ['stream_name', 'is missing']);
      const stream = findStream(
        services.registry,
        request.principal,
        { name: stream_name ?? undefined, id: stream_id ?? undefined },
        'putRecords',
      );
      const result = await putRecords(services, stream, records);
      return reply.type('application/json; charset=utf-8').send(encodePutAnswer(result));
    },
  );
}
