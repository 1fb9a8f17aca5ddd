/** Query and answer of a dump task's log. */
import Type, { type Static } from 'typebox';
import { LOG_KINDS } from '../../catalog/schema.ts';
import { LOG_STATES } from '../../dump/dump-log/log-filter.ts';
import { LOG_ORDERS, LOG_SORT_KEYS } from '../../dump/dump-log/log-request.ts';

const PageInfo = Type.Object({
  pageIndex: Type.Optional(Type.Integer({ minimum: 1, description: 'which page, from 1' })),
  pageTotal: Type.Optional(Type.Integer({ minimum: 1, description: 'entries of a page, whatever its name says' })),
});

const StateFilter = Type.Unsafe<number>({ enum: [...LOG_STATES] });
const KindFilter = Type.Unsafe<string>({ enum: [...LOG_KINDS] });

const Filter = Type.Object(
  {
    state: Type.Optional(Type.Union([StateFilter, Type.Array(StateFilter, { minItems: 1 })])),
    kind: Type.Optional(Type.Union([KindFilter, Type.Array(KindFilter, { minItems: 1 })])),
    partitionId: Type.Optional(Type.String()),
    from: Type.Optional(Type.Integer({ minimum: 0, description: 'createTime from here on, in ms' })),
    to: Type.Optional(Type.Integer({ minimum: 0, description: 'createTime before it, in ms' })),
    fileName: Type.Optional(Type.String({ description: 'name of a file, or its beginning and an asterisk' })),
    deadLetters: Type.Optional(Type.Boolean({ description: 'entries with dead letters alone, or without' })),
  },
  { additionalProperties: false, description: 'entries to which all of this applies; beyond the API of the cloud' },
);

/** Describes what dump/dump-log/log-request.ts reads. */
export const TransferTaskLogBody = Type.Object({
  order: Type.Optional(Type.Unsafe<string>({ enum: [...LOG_ORDERS] })),
  sortBy: Type.Optional(Type.Unsafe<string>({ enum: [...LOG_SORT_KEYS] })),
  pageInfo: Type.Optional(
    Type.Union([
      PageInfo,
      Type.Array(PageInfo, { description: 'merged in order; a second pageIndex is the page size' }),
    ]),
  ),
  filter: Type.Optional(Filter),
});

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });
const Count = Type.Integer({ minimum: 0 });
const OrNull = Type.Union([Type.String(), Type.Null()]);
const CountOrNull = (description: string) => Type.Union([Count, Type.Null()], { description });

/** The documented members, those of the published example, and our own from `logId` on (docs/PROTOCOL.md). */
export const LogEntry = Type.Object({
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
  logId: Type.Integer({ minimum: 1, description: 'number of the entry, never used again' }),
  kind: Type.Unsafe<string>({ enum: [...LOG_KINDS] }),
  partitionId: Type.Union([Type.String(), Type.Null()], { description: 'null: a merged file, of several partitions' }),
  firstSequenceNumber: Type.String({ description: 'of the first record in the file' }),
  lastSequenceNumber: Type.String({ description: 'of the last record in the file, inclusive' }),
  cutFirstSequenceNumber: Type.String({ description: 'of the range that the file was made from' }),
  cutLastSequenceNumber: Type.String({ description: 'inclusive' }),
  cutLogId: Type.Integer({ minimum: 1, description: 'entry of that range: all of its files have the same' }),
  readRecordsNum: Count,
  createTime: Time,
  bucket: Type.String(),
  objectKey: Type.String({ description: 'empty: there is no object' }),
  path: Type.String({ description: 'directories between the prefix of the task and the file name' }),
  periodTime: CountOrNull('begin, in ms, of the time that the directories stand for'),
  checksum: Type.Union([Type.String(), Type.Null()], { description: '`sha256:<hex>` of the file' }),
  etag: OrNull,
  attempt: Count,
  taskVersion: Count,
  schemaRevision: Type.Integer({ minimum: 0, description: 'of the inferred columns; 0: none' }),
  errorCode: OrNull,
  cause: OrNull,
  givenUp: Type.Boolean({ description: 'true: these records will never be delivered' }),
  deadLettersNum: Type.Integer({ minimum: 0, description: 'records of the range that could not be converted' }),
  deadLetterKey: OrNull,
  deadLetterBytes: CountOrNull('size of the dead-letter object'),
  deadLetterChecksum: Type.Union([Type.String(), Type.Null()], { description: '`sha256:<hex>` of it' }),
  sourceLogId: CountOrNull('redrives: the entry whose dead letters were taken'),
  redrivenByLogId: CountOrNull('the redrive that takes, or has taken, these dead letters'),
  mergeLogId: CountOrNull('the merge whose file takes, or has taken, the place of this one'),
  supersededTime: CountOrNull('when a merged file took the place of this one'),
  removedTime: CountOrNull('when the superseded object was removed'),
  manifest: CountOrNull('number of the manifest that lists the file'),
});
export type LogEntry = Static<typeof LogEntry>;

export const TransferTaskLogReply = Type.Object({
  totalNum: Type.Integer({ minimum: 0, description: 'entries of the whole log, or of those that the filter leaves' }),
  message: Type.Null(),
  errorCode: Type.Literal(-1),
  transferTaskLogList: Type.Array(LogEntry),
  isStreamFound: Type.Null(),
  streamData: Type.Null(),
  streamDataList: Type.Null(),
  transferTaskList: Type.Null(),
  monitorData: Type.Null(),
});
