/** The bodies and answers of the dump task operations. Some clients send null or "" for what they do not set. */
import Type, { type Static } from 'typebox';
import {
  CONSUMER_STRATEGIES,
  DESTINATION_TYPE,
  FILE_TYPES,
  PARTITION_FORMATS,
  TIMESTAMP_FORMATS,
  TIMESTAMP_TYPES,
} from '../../dump/settings/settings.ts';
import { STOP_MODES } from '../../dump/tasks/stop-tasks.ts';
import { TASK_STATES } from '../../dump/tasks/task-state.ts';
import { choice, optional } from './optional.ts';

export const ObsDestinationDescriptor = Type.Object({
  task_name: Type.String({ description: '1–64 letters, digits, _ or -; in an update the task that is meant' }),
  agency_name: optional(Type.String({ description: 'kept and shown, not used' })),
  obs_bucket_path: Type.String({ description: 'name of the bucket' }),
  file_prefix: optional(
    Type.String({ description: 'folder of the files: up to 50 letters, digits, _ and single slashes' }),
  ),
  partition_format: optional(
    Type.String({ description: `folders by time: one of ${PARTITION_FORMATS.slice(1).join(', ')}, or none` }),
  ),
  deliver_time_interval: optional(Type.Integer({ description: 'seconds after which a file is made' })),
  deliver_size_interval: optional(Type.Integer({ description: 'MB after which a file is made earlier' })),
  record_delimiter: optional(
    Type.String({ description: 'what follows each record of a text file: one of , ; | \\n NULL; absent: \\n' }),
  ),
  destination_file_type: optional(
    Type.String({
      description: `one of ${FILE_TYPES.join(', ')}; csv needs data_type JSON and a data_schema, parquet JSON or CSV`,
    }),
  ),
  consumer_strategy: optional(Type.String({ description: `one of ${CONSUMER_STRATEGIES.join(', ')}; cannot change` })),
  retry_duration: Type.Optional(
    Type.Union([Type.String(), Type.Integer(), Type.Null()], {
      description: 'seconds after which a file that fails is given up; 0: never',
    }),
  ),
  deliver_data_type: optional(Type.String({ description: 'file_stream' })),
  compression_format: optional(
    Type.String({
      description: 'text and csv: none, gzip, zstd; parquet: snappy, none, gzip, zstd; absent: the first',
    }),
  ),
  processing_schema: optional(
    Type.Object(
      {
        timestamp_name: optional(Type.String({ description: 'member of the record; dots lead into nested members' })),
        timestamp_type: optional(
          Type.String({ description: `one of ${TIMESTAMP_TYPES.join(', ')} (13 digits of milliseconds)` }),
        ),
        timestamp_format: optional(
          Type.String({ description: `of the type String: one of ${TIMESTAMP_FORMATS.join(', ')}` }),
        ),
      },
      { description: 'folders by the time that each record gives itself; needs data_type JSON or CSV' },
    ),
  ),
  csv_header: optional(
    Type.Boolean({ description: 'whether csv files begin with the names of the columns; absent: yes' }),
  ),
  data_schema: optional(
    Type.String({ description: 'Avro schema of the records, instead of that of the stream, for csv and parquet' }),
  ),
  time_zone: optional(
    Type.String({ description: 'IANA name of the zone of folders by time, and of times in records; absent: UTC' }),
  ),
  path_template: optional(
    Type.String({
      description:
        'folders by what records say, instead of partition_format: names and {$.member}, {key}, {partition}, ' +
        '{yyyy}, {MM}, {dd}, {HH}, {mm}; for example country={$.country}/dt={yyyy}-{MM}-{dd}',
    }),
  ),
  deliver_idle_interval: optional(
    Type.Integer({ description: 'seconds without a new record after which a file is made earlier' }),
  ),
  merge_size: optional(
    Type.Integer({
      description: 'MB, up to 1024: the files of a complete time folder are merged into files of this size',
    }),
  ),
  manifest: optional(Type.Boolean({ description: 'whether an object lists the files of each complete time folder' })),
  lateness_interval: optional(
    Type.Integer({ description: 'seconds, up to 86400, for which a time folder waits for late records' }),
  ),
  hold_retention: optional(
    Type.Boolean({
      description: 'whether records are kept beyond the retention of the stream until they are delivered',
    }),
  ),
});

/** Create and update. */
export const TransferTaskBody = Type.Object({
  destination_type: choice([DESTINATION_TYPE]),
  obs_destination_descriptor: ObsDestinationDescriptor,
});
export type TransferTaskBody = Static<typeof TransferTaskBody>;

export const TransferTaskActionBody = Type.Object({
  action: Type.Unsafe<'start' | 'stop'>({ enum: ['start', 'stop'] }),
  mode: choice(STOP_MODES),
  tasks: Type.Array(Type.Object({ id: Type.String() })),
});
export type TransferTaskActionBody = Static<typeof TransferTaskActionBody>;

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970; 0: not yet' });
const State = Type.Unsafe<string>({ enum: [...TASK_STATES] });

/** What goes wrong at the moment; absent when nothing does. Beyond DIS, as the members after it. */
const TROUBLE = {
  error_code: Type.Optional(Type.String({ description: 'of the newest attempt that failed' })),
  cause: Type.Optional(Type.String()),
  failing_since: Type.Optional(Time),
  next_try: Type.Optional(Time),
};

const TASK = {
  task_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$' }),
  task_name: Type.String(),
  state: State,
  destination_type: Type.Literal(DESTINATION_TYPE),
  create_time: Time,
  last_transfer_timestamp: Time,
};

export const TransferTaskListReply = Type.Object({
  total_number: Type.Integer({ minimum: 0 }),
  quota: Type.Integer({ minimum: 1, description: 'dump tasks that a stream may have' }),
  tasks: Type.Array(Type.Object(TASK)),
});

export const TransferTaskReply = Type.Object({
  ...TASK,
  stream_id: Type.String(),
  stream_name: Type.String(),
  draining: Type.Optional(
    Type.Literal(true, { description: 'what is planned is still delivered, then the task is PAUSED' }),
  ),
  ...TROUBLE,
  dead_letters: Type.Integer({ minimum: 0, description: 'records that could not be converted and wait for a redrive' }),
  undelivered_records: Type.Integer({ minimum: 0 }),
  partitions: Type.Array(
    Type.Object({
      partitionId: Type.String(),
      state: State,
      discard: Type.Integer({ minimum: 0, description: 'records that were given up' }),
      last_transfer_timestamp: Time,
      last_transfer_offset: Type.Integer({ minimum: 0, description: 'the first record that no file holds yet' }),
      ...TROUBLE,
      undelivered_records: Type.Integer({ minimum: 0 }),
      oldest_undelivered_timestamp: Type.Optional(Time),
      expires_at: Type.Optional(
        Type.Integer({ description: 'when the first undelivered record expires; absent when it is held' }),
      ),
    }),
  ),
  obs_destination_description: Type.Object({
    agency_name: Type.Optional(Type.String()),
    obs_bucket_path: Type.String(),
    file_prefix: Type.String(),
    partition_format: Type.String(),
    deliver_time_interval: Type.Integer({ description: 'seconds' }),
    deliver_size_interval: Type.Optional(Type.Integer({ description: 'MB' })),
    consumer_strategy: Type.Unsafe<string>({ enum: [...CONSUMER_STRATEGIES] }),
    destination_file_type: Type.Unsafe<string>({ enum: [...FILE_TYPES] }),
    record_delimiter: Type.String(),
    retry_duration: Type.Integer({ minimum: 0, description: 'seconds; 0: as long as the records exist' }),
    compression_format: Type.Optional(Type.String({ description: 'absent: none, and snappy in parquet' })),
    processing_schema: Type.Optional(
      Type.Object({
        timestamp_name: Type.String(),
        timestamp_type: Type.Unsafe<string>({ enum: [...TIMESTAMP_TYPES] }),
        timestamp_format: Type.Optional(Type.Unsafe<string>({ enum: [...TIMESTAMP_FORMATS] })),
      }),
    ),
    csv_header: Type.Optional(Type.Boolean()),
    data_schema: Type.Optional(Type.String()),
    time_zone: Type.Optional(Type.String()),
    path_template: Type.Optional(Type.String()),
    deliver_idle_interval: Type.Optional(Type.Integer({ description: 'seconds' })),
    merge_size: Type.Optional(Type.Integer({ description: 'MB' })),
    manifest: Type.Optional(Type.Boolean()),
    lateness_interval: Type.Optional(Type.Integer({ description: 'seconds' })),
    hold_retention: Type.Optional(Type.Boolean()),
  }),
});
