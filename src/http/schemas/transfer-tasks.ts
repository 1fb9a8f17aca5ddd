/** The bodies and answers of the dump task operations. Some clients send null or "" for what they do not set. */
import Type, { type Static } from 'typebox';
import { CONSUMER_STRATEGIES, DESTINATION_TYPE, PARTITION_FORMATS } from '../../dump/settings.ts';
import { TASK_STATES } from '../../dump/task-state.ts';
import { choice, optional } from './optional.ts';

const ObsDestinationDescriptor = Type.Object({
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
    Type.String({ description: 'what follows each record: one of , ; | \\n NULL; absent: \\n' }),
  ),
  destination_file_type: optional(Type.String({ description: 'text' })),
  consumer_strategy: optional(Type.String({ description: `one of ${CONSUMER_STRATEGIES.join(', ')}; cannot change` })),
  retry_duration: Type.Optional(
    Type.Union([Type.String(), Type.Integer(), Type.Null()], {
      description: 'seconds after which a file that fails is given up; 0: never',
    }),
  ),
  deliver_data_type: optional(Type.String({ description: 'file_stream' })),
  compression_format: optional(Type.String({ description: 'none' })),
  processing_schema: optional(
    Type.Object({
      timestamp_name: optional(Type.String()),
      timestamp_type: optional(Type.String()),
      timestamp_format: optional(Type.String()),
    }),
  ),
  csv_header: optional(Type.Boolean()),
  data_schema: optional(Type.String()),
  time_zone: optional(Type.String()),
  path_template: optional(Type.String()),
  deliver_idle_interval: optional(Type.Integer()),
  merge_size: optional(Type.Integer()),
  manifest: optional(Type.Boolean()),
  lateness_interval: optional(Type.Integer()),
  hold_retention: optional(Type.Boolean()),
});

/** Create and update. */
export const TransferTaskBody = Type.Object({
  destination_type: choice([DESTINATION_TYPE]),
  obs_destination_descriptor: ObsDestinationDescriptor,
});
export type TransferTaskBody = Static<typeof TransferTaskBody>;

export const TransferTaskActionBody = Type.Object({
  action: Type.Unsafe<'start' | 'stop'>({ enum: ['start', 'stop'] }),
  tasks: Type.Array(Type.Object({ id: Type.String() })),
});
export type TransferTaskActionBody = Static<typeof TransferTaskActionBody>;

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970; 0: not yet' });
const State = Type.Unsafe<string>({ enum: [...TASK_STATES] });

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
  partitions: Type.Array(
    Type.Object({
      partitionId: Type.String(),
      state: State,
      discard: Type.Integer({ minimum: 0, description: 'records that were given up' }),
      last_transfer_timestamp: Time,
      last_transfer_offset: Type.Integer({ minimum: 0, description: 'the first record that no file holds yet' }),
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
    destination_file_type: Type.String(),
    record_delimiter: Type.String(),
    retry_duration: Type.Integer({ minimum: 0, description: 'seconds; 0: as long as the records exist' }),
  }),
});
