/** A row of the dump log as the API shows it, in pages and in exports alike. */
import type { DumpLogRow } from '../../../catalog/dump-log.ts';
import type { DumpTaskRow } from '../../../catalog/dump-tasks.ts';
import { NO_PARTITION } from '../../../catalog/schema.ts';
import { DESTINATION_TYPE } from '../../../dump/settings/settings.ts';
import { formatPartitionId } from '../../../model/partition-id.ts';
import type { LogEntry } from '../../schemas/transfer-task-log.ts';

/** Its members are in the order of the schema, and are there whatever their value. */
export function logEntry(task: DumpTaskRow, row: DumpLogRow): LogEntry {
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
    logId: row.id,
    kind: row.kind,
    partitionId: row.partition === NO_PARTITION ? null : formatPartitionId(row.partition),
    firstSequenceNumber: String(row.first_record ?? row.first_sequence),
    lastSequenceNumber: String(row.last_record ?? row.next_sequence - 1),
    cutFirstSequenceNumber: String(row.first_sequence),
    cutLastSequenceNumber: String(row.next_sequence - 1),
    cutLogId: row.plan_id ?? row.id,
    readRecordsNum: row.read_records,
    createTime: row.created_at,
    bucket: row.bucket,
    objectKey: row.object_key,
    path: row.path,
    periodTime: row.period,
    checksum: row.checksum,
    etag: row.etag,
    attempt: row.attempt,
    taskVersion: row.task_version,
    schemaRevision: row.schema_revision,
    errorCode: row.error_code,
    cause: row.cause,
    givenUp: row.given_up === 1,
    deadLettersNum: row.dead_letters,
    deadLetterKey: row.dead_letter_key,
    deadLetterBytes: row.dead_letter_bytes,
    deadLetterChecksum: row.dead_letter_checksum,
    sourceLogId: row.source_id,
    redrivenByLogId: row.redriven_by,
    mergeLogId: row.merge_id,
    supersededTime: row.superseded_at,
    removedTime: row.removed_at,
    manifest: row.manifest,
  };
}
