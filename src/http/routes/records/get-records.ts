/**
 * GET /v2/{project_id}/records: the records from a cursor on, and the cursor to go on with. A request with the content type
 * of protobuf, though it has no body, is answered in that form.
 */
import { encodeGetAnswer } from '../../../codec/records-json.ts';
import { encodeProtobufGetAnswer } from '../../../codec/records-protobuf.ts';
import { DomainError } from '../../../model/errors.ts';
import { BufferLoan } from '../../../platform/buffer-pool.ts';
import { getRecords } from '../../../streams/get-records.ts';
import type { App } from '../../fastify-types.ts';
import { isProtobuf, JSON_TYPE, PROTOBUF_TYPE } from '../../media-types.ts';
import { expectedText, integer, queryOf, text, type Query } from '../../query.ts';
import { GetRecordsReply } from '../../schemas/records.ts';
import type { Services } from '../../services.ts';

const LONGEST_CURSOR = 512;

export function getRecordsRoute(app: App, services: Services): void {
  const { get_records, get_default_records, get_bytes } = services.limits;
  const QUERY = queryOf({
    'partition-cursor': expectedText('where to read on'),
    limit: integer({ min: 1, max: get_records, fallback: get_default_records }, 'most records'),
    max_fetch_bytes: integer({ min: 1, max: Number.MAX_SAFE_INTEGER, fallback: get_bytes }, 'most payload bytes'),
    app_name: text('taken and not used'),
  });
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/records',
    {
      config: { operation: 'getRecords', permission: 'data' },
      schema: { summary: 'Get records', querystring: QUERY.schema, response: { 200: GetRecordsReply } },
    },
    async (request, reply) => {
      const { 'partition-cursor': cursor, limit, max_fetch_bytes: maxBytes } = QUERY.read(request.query);
      if (cursor === undefined || cursor.length > LONGEST_CURSOR) throw new DomainError('InvalidCursor');
      const result = await getRecords(services, { caller: request.principal, cursor, limit, maxBytes });
      const loan = new BufferLoan(services.buffers);
      const protobuf = isProtobuf(request.headers['content-type']);
      const answer = protobuf
        ? encodeProtobufGetAnswer(result.blocks, result.nextCursor, loan.take)
        : encodeGetAnswer(result.blocks, result.nextCursor, result.millisBehindLatest, loan.take);
      result.release();
      reply.raw.once('close', () => loan.giveBack());
      return reply.type(protobuf ? PROTOBUF_TYPE : JSON_TYPE).send(answer);
    },
  );
}
