/**
 * POST /v1/transfertasklog/{task_id}/verify: proves the delivery of a task. The answer is a line of JSON for each finding,
 * as they are found, and one for the summary. The sums so far come first, and again whenever nothing else has come for a while: a
 * sound task is silent for as long as it takes to verify it, and a silent connection is cut.
 */
import { Readable } from 'node:stream';
import type { DumpServices } from '../../../dump/dump-services.ts';
import type { VerifySummary } from '../../../dump/verify/finding.ts';
import { Verifications } from '../../../dump/verify/verifications.ts';
import type { Verification } from '../../../dump/verify/verify-task.ts';
import { toDomainError } from '../../error-renderer.ts';
import type { App } from '../../fastify-types.ts';
import { BEAT, withHeartbeat } from '../../heartbeat.ts';
import { NDJSON_TYPE } from '../../media-types.ts';
import { flag, queryOf, type Query } from '../../query.ts';
import { VerifyLine } from '../../schemas/verify-transfer-task.ts';

const QUERY = queryOf({
  contents: flag('read every object, also where its entity tag is as it should be'),
  records: flag('make the files again from the records that are still kept, and compare'),
});

/** Well below the 60 s of silence after which load balancers let go. */
const BEAT_MS = 15_000;

export function verifyTransferTaskRoute(app: App, services: DumpServices): void {
  const verifications = new Verifications(services);
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
    async ({ params, query, principal, log, id }, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(new Error('the caller is gone')));
      const { signal } = gone;
      const verification = await verifications.begin({
        projectId: principal.projectId,
        taskId: params.taskId,
        ...QUERY.read(query),
        signal,
      });
      const onBroken = (err: unknown) => {
        if (!signal.aborted) log.error({ err, requestId: id }, 'verification broke off');
      };
      return reply.type(NDJSON_TYPE).send(Readable.from(lines(services, verification, onBroken)));
    },
  );
}

/** An error in the middle cannot be the status any more: it is the last line, and one that is ours is told to `onBroken`. */
async function* lines(
  { clock }: DumpServices,
  { task, summary, findings }: Verification,
  onBroken: (error: unknown) => void,
): AsyncGenerator<string, void, undefined> {
  const line = (value: VerifyLine) => `${JSON.stringify(value)}\n`;
  const sums = () => describe(task.task_id, summary);
  try {
    for await (const finding of withHeartbeat(findings, clock, BEAT_MS)) {
      yield line(finding === BEAT ? { progress: sums() } : { finding });
    }
  } catch (error) {
    const { kind, code, message } = toDomainError(error);
    if (kind === 'Internal') onBroken(error);
    yield line({ error: { error_code: code, error_msg: message } });
    return;
  }
  yield line({ summary: sums() });
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
