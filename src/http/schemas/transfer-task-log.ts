/** Query and answer of a dump task's log. */
import Type from 'typebox';
import { LOG_KINDS } from '../../catalog/schema.ts';
import { LOG_ORDERS, LOG_SORT_KEYS } from '../../dump/log-request.ts';

const PageInfo = Type.Object({
  pageIndex: Type.Optional(Type.Integer({ minimum: 1, description: 'which page, from 1' })),
  pageTotal: Type.Optional(Type.Integer({ minimum: 1, description: 'entries of a page, whatever its name says' })),
});

/** Describes what dump/log-request.ts reads. */
export const TransferTaskLogBody = Type.Object({
  order: Type.Optional(Type.Unsafe<string>({ enum: [...LOG_ORDERS] })),
  sortBy: Type.Optional(Type.Unsafe<string>({ enum: [...LOG_SORT_KEYS] })),
  pageInfo: Type.Optional(
    Type.Union([
      PageInfo,
      Type.Array(PageInfo, { description: 'merged in order; a second pageIndex is the page size' }),
    ]),
  ),
});

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });
const Count = Type.Integer({ minimum: 0 });
const OrNull = Type.Union([Type.String(), Type.Null()]);

const Entry = Type.Object({
  transferTaskId: Type.String(),
  state: Type.Unsafe<number>({ enum: [0, 1, 2], description: '0 delivered, 1 failed, 2 planned or being written' }),
  destinationType: Type.String(),
  startTime: Time,
  endTime: Time,
  transferBytes: Count,
  transferRecordsNum: Count,
  transformRecordsNum: Count,
  streamId: Type.String(),
  projectId: Type.String(),
  transferFileName: Type.String(),
  num: Count,
  kind: Type.Unsafe<string>({ enum: [...LOG_KINDS] }),
  partitionId: Type.Union([Type.String(), Type.Null()], { description: 'null: a merged file, of several partitions' }),
  firstSequenceNumber: Type.String({ description: 'of the first record in the file' }),
  lastSequenceNumber: Type.String({ description: 'of the last record in the file, inclusive' }),
  cutFirstSequenceNumber: Type.String({ description: 'of the range that the file was made from' }),
  cutLastSequenceNumber: Type.String({ description: 'inclusive' }),
  readRecordsNum: Count,
  createTime: Time,
  bucket: Type.String(),
  objectKey: Type.String(),
  checksum: Type.Union([Type.String(), Type.Null()], { description: '`sha256:<hex>` of the file' }),
  etag: OrNull,
  attempt: Count,
  taskVersion: Count,
  errorCode: OrNull,
  cause: OrNull,
  givenUp: Type.Boolean({ description: 'true: these records will never be delivered' }),
  deadLettersNum: Type.Integer({ minimum: 0, description: 'records of the range that could not be converted' }),
  deadLetterKey: OrNull,
  supersededTime: Type.Union([Time, Type.Null()], { description: 'when a merged file took the place of this one' }),
  manifest: Type.Union([Count, Type.Null()], { description: 'number of the manifest that lists the file' }),
});

export const TransferTaskLogReply = Type.Object({
  totalNum: Type.Integer({ minimum: 0, description: 'entries of the whole log' }),
  message: Type.Null(),
  errorCode: Type.Literal(-1),
  transferTaskLogList: Type.Array(Entry),
  isStreamFound: Type.Null(),
  streamData: Type.Null(),
  streamDataList: Type.Null(),
  transferTaskList: Type.Null(),
  monitorData: Type.Null(),
});
