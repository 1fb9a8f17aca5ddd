/**
 * POST /v1/transfertasklog/{task_id}/verify: proves the delivery of a task. The answer is a line of JSON for each finding,
 * as they are found, and one for the summary.
 */
import { Readable } from 'node:stream';
import type { DumpServices } from '../../../dump/dump-services.ts';
import type { VerifySummary } from '../../../dump/verify/finding.ts';
import { verifyTask, type Verification } from '../../../dump/verify/verify-task.ts';
import { toDomainError } from '../../error-renderer.ts';
import type { App } from '../../fastify-types.ts';
import { NDJSON_TYPE } from '../../media-types.ts';
import { flag, queryOf, type Query } from '../../query.ts';
import { VerifyLine } from '../../schemas/verify-transfer-task.ts';

const QUERY = queryOf({
  contents: flag('read every object, also where its entity tag is as it should be'),
  records: flag('make the files again from the records that are still kept, and compare'),
});

export function verifyTransferTaskRoute(app: App, services: DumpServices): void {
  app.post<{ Params: { taskId: string }; Querystring: Query }>(
    '/v1/transfertasklog/:taskId/verify',
    {
      config: { operation: 'verifyTransferTask' },
      schema: {
        summary: 'Verify the files of a dump task against its log, the bucket and the stream',
        querystring: QUERY.schema,
        response: { 200: { content: { [NDJSON_TYPE]: { schema: VerifyLine } } } },
      },
    },
    async ({ params, query, principal }, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(new Error('the caller is gone')));
      const verification = await verifyTask(services, {
        projectId: principal.projectId,
        taskId: params.taskId,
        ...QUERY.read(query),
        signal: gone.signal,
      });
      return reply.type(NDJSON_TYPE).send(Readable.from(lines(verification)));
    },
  );
}

/** An error in the middle cannot be the status any more: it is the last line. */
async function* lines({ task, summary, findings }: Verification): AsyncGenerator<string, void, undefined> {
  const line = (value: VerifyLine) => `${JSON.stringify(value)}\n`;
  try {
    for await (const finding of findings) yield line({ finding });
  } catch (error) {
    const { code, message } = toDomainError(error);
    yield line({ error: { error_code: code, error_msg: message } });
    return;
  }
  yield line({ summary: describe(task.task_id, summary) });
}

function describe(taskId: string, summary: VerifySummary) {
  const { deadLetters, givenUp, objectsRead, cutsRemade, findings, ...same } = summary;
  return {
    task_id: taskId,
    ...same,
    dead_letters: deadLetters,
    given_up: givenUp,
    objects_read: objectsRead,
    cuts_remade: cutsRemade,
    findings,
  };
}
