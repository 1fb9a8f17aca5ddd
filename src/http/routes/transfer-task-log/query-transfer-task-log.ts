/** POST /v1/transfertasklog/{task_id}: one page of a dump task's log. The project is the token's. */
import type { DumpLogRow } from '../../../catalog/dump-log.ts';
import type { DumpTaskRow } from '../../../catalog/dump-tasks.ts';
import { NO_PARTITION } from '../../../catalog/schema.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { parseLogRequest } from '../../../dump/log-request.ts';
import { queryLog } from '../../../dump/query-log.ts';
import { DESTINATION_TYPE } from '../../../dump/settings.ts';
import { formatPartitionId } from '../../../model/partition-id.ts';
import type { App } from '../../fastify-types.ts';
import { TransferTaskLogBody, TransferTaskLogReply } from '../../schemas/transfer-task-log.ts';

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

/** The documented members, those of the published example, and our own from `partitionId` on (docs/PROTOCOL.md). */
function logEntry(task: DumpTaskRow, row: DumpLogRow) {
  return {
    transferTaskId: task.task_id,
    state: row.state,
    destinationType: DESTINATION_TYPE,
    startTime: row.start_time,
    endTime: row.end_time,
    transferBytes: row.bytes,
    transferRecordsNum: row.records,
    transformRecordsNum: 0,
    streamId: task.stream_id,
    projectId: task.project_id,
    transferFileName: row.file_name,
    num: 0,
    kind: row.kind,
    partitionId: row.partition === NO_PARTITION ? null : formatPartitionId(row.partition),
    firstSequenceNumber: String(row.first_record ?? row.first_sequence),
    lastSequenceNumber: String(row.last_record ?? row.next_sequence - 1),
    cutFirstSequenceNumber: String(row.first_sequence),
    cutLastSequenceNumber: String(row.next_sequence - 1),
    readRecordsNum: row.read_records,
    createTime: row.created_at,
    bucket: row.bucket,
    objectKey: row.object_key,
    checksum: row.checksum,
    etag: row.etag,
    attempt: row.attempt,
    taskVersion: row.task_version,
    errorCode: row.error_code,
    cause: row.cause,
    givenUp: row.given_up === 1,
    deadLettersNum: row.dead_letters,
    deadLetterKey: row.dead_letter_key,
    supersededTime: row.superseded_at,
    manifest: row.manifest,
  };
}
