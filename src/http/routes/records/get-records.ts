/** GET /v2/{project_id}/records: the records from a cursor on, and the cursor to go on with. */
import { encodeGetAnswer } from '../../../codec/records-json.ts';
import { DomainError } from '../../../model/errors.ts';
import { BufferLoan } from '../../../platform/buffer-pool.ts';
import { getRecords } from '../../../streams/get-records.ts';
import type { App } from '../../fastify-types.ts';
import { integerParameter, textParameter, type Query } from '../../query.ts';
import type { Services } from '../../services.ts';

const LONGEST_CURSOR = 512;

export function getRecordsRoute(app: App, services: Services): void {
  const { limits } = services;
  const LIMIT = { min: 1, max: limits.get_records, fallback: limits.get_default_records };
  const BYTES = { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: limits.get_bytes };
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/records',
    { config: { operation: 'getRecords' } },
    async (request, reply) => {
      const cursor = textParameter(request.query, 'partition-cursor');
      if (cursor === undefined || cursor.length > LONGEST_CURSOR) throw new DomainError('InvalidCursor');
      const limit = integerParameter(request.query, 'limit', LIMIT);
      const maxBytes = integerParameter(request.query, 'max_fetch_bytes', BYTES);
      const result = await getRecords(services, { projectId: request.params.projectId, cursor, limit, maxBytes });
      const loan = new BufferLoan(services.buffers);
      const answer = encodeGetAnswer(result.blocks, result.nextCursor, result.millisBehindLatest, loan.take);
      result.release();
      reply.raw.once('close', () => loan.giveBack());
      return reply.type('application/json; charset=utf-8').send(answer);
    },
  );
}
