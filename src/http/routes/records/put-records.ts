/**
 * POST /v2/{project_id}/records: 200 with one entry a record, in request order, also when some or all were refused. The
 * answer has the form of the request, JSON or protobuf; a refusal of the whole is always JSON.
 */
import { JsonRecords } from '../../../codec/json-records.ts';
import { readProtobufPut } from '../../../codec/protobuf-records.ts';
import { encodePutAnswer } from '../../../codec/records-json.ts';
import { encodeProtobufPutAnswer } from '../../../codec/records-protobuf.ts';
import { DomainError } from '../../../model/errors.ts';
import type { RecordSource } from '../../../model/record-source.ts';
import { putRecords } from '../../../streams/put-records.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { JSON_TYPE, PROTOBUF_TYPE } from '../../media-types.ts';
import { PutRecordsBody, PutRecordsReply } from '../../schemas/records.ts';
import type { Services } from '../../services.ts';

export function putRecordsRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string }; Body: PutRecordsBody | Buffer }>(
    '/v2/:projectId/records',
    {
      config: { operation: 'putRecords', permission: 'data', protobuf: true },
      schema: { summary: 'Put records', body: PutRecordsBody, response: { 200: PutRecordsReply } },
    },
    async ({ body, principal, bodyLoan }, reply) => {
      const { name, id, records } = readPut(body, services.limits.put_records);
      if (!name && !id) throw new DomainError('InvalidBody', ['stream_name', 'is missing']);
      const stream = findStream(services.registry, principal, { name, id }, 'putRecords');
      const outcomes = await putRecords(services, stream, records);
      bodyLoan?.giveBack();
      return Buffer.isBuffer(body)
        ? reply.type(PROTOBUF_TYPE).send(encodeProtobufPutAnswer(outcomes))
        : reply.type(JSON_TYPE).send(encodePutAnswer(outcomes));
    },
  );
}

interface Put {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly records: RecordSource;
}

function readPut(body: PutRecordsBody | Buffer, maxRecords: number): Put {
  if (Buffer.isBuffer(body)) {
    const { streamName, streamId, records } = readProtobufPut(body, maxRecords);
    return { name: streamName, id: streamId, records };
  }
  const { stream_name, stream_id, records } = body;
  return { name: stream_name ?? undefined, id: stream_id ?? undefined, records: new JsonRecords(records) };
}
