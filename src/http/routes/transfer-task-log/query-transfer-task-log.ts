/** POST /v1/transfertasklog/{task_id}: one page of a dump task's log. The project is the token's. */
import type { DumpServices } from '../../../dump/dump-services.ts';
import { parseLogRequest } from '../../../dump/dump-log/log-request.ts';
import { queryLog } from '../../../dump/dump-log/query-log.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskLogBody, TransferTaskLogReply } from '../../schemas/transfer-task-log.ts';
import { logEntry } from './log-entry.ts';

export function queryTransferTaskLogRoute(app: App, services: DumpServices): void {
  app.post<{ Params: { taskId: string }; Body: unknown }>(
    '/v1/transfertasklog/:taskId',
    {
      config: { operation: 'queryTransferTaskLog', optionalBody: true },
      schema: {
        summary: 'Query the log of a dump task',
        body: TransferTaskLogBody,
        response: { 200: TransferTaskLogReply },
      },
      // Its body is checked by what reads it: the schema cannot say everything, an absent body from a null one.
      validatorCompiler: () => () => true,
    },
    async ({ params, body, principal }) => {
      const request = parseLogRequest(body, services.limits);
      const { task, total, rows } = await queryLog(services, principal.projectId, params.taskId, request);
      return {
        totalNum: total,
        message: null,
        errorCode: -1,
        transferTaskLogList: rows.map((row) => logEntry(task, row)),
        isStreamFound: null,
        streamData: null,
        streamDataList: null,
        transferTaskList: null,
        monitorData: null,
      };
    },
  );
}
