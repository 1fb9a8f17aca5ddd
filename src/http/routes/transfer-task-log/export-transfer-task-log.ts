/**
 * GET /v1/transfertasklog/{task_id}/export: the whole dump log of a task, or what a filter leaves of it, in the order of the
 * plans. The answer is written as it is read; one that breaks off ends without its last chunk. A parameter that is unknown or
 * empty is refused, so that no filter is mistaken for a wider one.
 */
import { Readable } from 'node:stream';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { readLogFilter } from '../../../dump/dump-log/log-filter.ts';
import { walkLog, type LogWalk } from '../../../dump/dump-log/walk-log.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { LOG_ENTRY_CSV_HEAD, logEntryCsv } from '../../log-entry-csv.ts';
import { CSV_TYPE, NDJSON_TYPE } from '../../media-types.ts';
import { oneOf, queryOf, text, type Query } from '../../query.ts';
import { LogEntry } from '../../schemas/transfer-task-log.ts';
import Type from 'typebox';
import { logEntry } from './log-entry.ts';

const QUERY = queryOf({
  format: oneOf(['json', 'csv'], 'json, the default: one entry a line; csv: with a line that names the members'),
  state: text('0, 1 or 2, or several with commas'),
  kind: text('delivery, merge, redrive or warning, or several with commas'),
  partitionId: text('`shardId-0000000000` or `0`'),
  from: text('createTime from here on, in ms'),
  to: text('createTime before it, in ms'),
  fileName: text('name of a file, or its beginning and an asterisk'),
  deadLetters: text('true: entries with dead letters alone; false: without'),
});

export function exportTransferTaskLogRoute(app: App, services: DumpServices): void {
  app.get<{ Params: { taskId: string }; Querystring: Query }>(
    '/v1/transfertasklog/:taskId/export',
    {
      config: { operation: 'exportTransferTaskLog' },
      // Fastify's HEAD would walk the whole log to its end, whoever has left.
      exposeHeadRoute: false,
      schema: {
        summary: 'Export the log of a dump task',
        querystring: QUERY.schema,
        response: {
          200: { content: { [NDJSON_TYPE]: { schema: LogEntry }, [CSV_TYPE]: { schema: Type.String() } } },
        },
      },
    },
    async ({ params, query, principal }, reply) => {
      const { format = 'json', ...members } = QUERY.readStrictly(query);
      const filter = readLogFilter(members, (member, reason) => {
        throw new DomainError('InvalidRequest', [member, reason]);
      });
      const { projectId } = principal;
      const walk = await walkLog(services, { projectId, taskId: params.taskId, filter });
      reply.type(format === 'csv' ? `${CSV_TYPE}; charset=utf-8` : NDJSON_TYPE);
      return reply.send(Readable.from(format === 'csv' ? csvLines(walk) : jsonLines(walk), { highWaterMark: 1 }));
    },
  );
}

async function* jsonLines({ task, pages }: LogWalk): AsyncGenerator<string, void, undefined> {
  for await (const rows of pages) {
    let lines = '';
    for (const row of rows) lines += `${JSON.stringify(logEntry(task, row))}\n`;
    yield lines;
  }
}

async function* csvLines({ task, pages }: LogWalk): AsyncGenerator<string, void, undefined> {
  yield LOG_ENTRY_CSV_HEAD;
  for await (const rows of pages) {
    let lines = '';
    for (const row of rows) lines += logEntryCsv(logEntry(task, row));
    yield lines;
  }
}
