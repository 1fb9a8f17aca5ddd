/** The bodies of the stream operations. */
import Type, { type Static } from 'typebox';
import { DATA_TYPES, PARTITION_STATUSES, STREAM_TYPES } from '../../model/stream.ts';
import { COMPRESSION_FORMATS } from '../../streams/stream-settings.ts';
import { choice, optional } from './optional.ts';

const Tag = Type.Object({ key: Type.String(), value: Type.String() });

/** Whatever the quota: what is larger could not be kept exactly. */
const MOST_PARTITIONS = 2 ** 31 - 1;
export const PartitionCount = Type.Integer({ maximum: MOST_PARTITIONS });

export const CreateStreamBody = Type.Object({
  stream_name: Type.String({ description: '1–64 letters, digits, _ or -' }),
  partition_count: Type.Integer({ maximum: MOST_PARTITIONS, description: 'from 1 to what is left of the quota' }),
  stream_type: choice(STREAM_TYPES),
  data_type: choice(DATA_TYPES),
  data_duration: optional(Type.Integer({ description: 'hours for which records are kept' })),
  data_schema: optional(Type.String({ description: 'Avro schema of JSON and CSV records' })),
  csv_properties: optional(Type.Object({ delimiter: optional(Type.String()) })),
  compression_format: choice(COMPRESSION_FORMATS),
  auto_scale_enabled: optional(Type.Boolean()),
  auto_scale_min_partition_count: optional(PartitionCount),
  auto_scale_max_partition_count: optional(PartitionCount),
  tags: optional(Type.Array(Tag)),
  sys_tags: optional(Type.Array(Tag)),
});

export type CreateStreamBody = Static<typeof CreateStreamBody>;

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });
const Count = Type.Integer({ minimum: 0 });

const SUMMARY = {
  stream_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$' }),
  stream_name: Type.String(),
  create_time: Time,
  retention_period: Type.Integer({ minimum: 1, description: 'hours' }),
  status: Type.Unsafe<string>({ enum: ['RUNNING'] }),
  stream_type: Type.Unsafe<string>({ enum: [...STREAM_TYPES] }),
  data_type: Type.Unsafe<string>({ enum: [...DATA_TYPES] }),
  auto_scale_enabled: Type.Boolean(),
  auto_scale_min_partition_count: Type.Integer({ minimum: 0, description: '0: not set' }),
  auto_scale_max_partition_count: Type.Integer({ minimum: 0, description: '0: not set' }),
  tags: Type.Array(Tag),
  sys_tags: Type.Array(Tag),
};

const Partition = Type.Object({
  status: Type.Unsafe<string>({ enum: [...PARTITION_STATUSES] }),
  partition_id: Type.String({ pattern: '^shardId-\\d{10}$' }),
  hash_range: Type.String({ pattern: '^\\[-?\\d+ : -?\\d+\\]$', description: '`[-1 : -1]` when it is not ACTIVE' }),
  sequence_number_range: Type.Optional(
    Type.String({
      pattern: '^\\[\\d+ : \\d+\\]$',
      description: '[the oldest that is there : the next to be written]; absent when it is EXPIRED',
    }),
  ),
  parent_partitions: Type.Optional(Type.String()),
});

export const PartitionCountUpdate = Type.Object({
  create_timestamp: Time,
  src_partition_count: Count,
  target_partition_count: Count,
  result_code: Type.Integer({ description: '1 done, 0 failed' }),
  auto_scale: Type.Boolean(),
});

export const StreamReply = Type.Object({
  ...SUMMARY,
  last_modified_time: Time,
  data_schema: Type.Optional(Type.String()),
  compression_format: Type.Optional(Type.String()),
  csv_properties: Type.Optional(Type.Object({ delimiter: Type.String() })),
  writable_partition_count: Type.Integer({ minimum: 0, description: 'partitions that are ACTIVE' }),
  readable_partition_count: Type.Integer({ minimum: 0, description: 'partitions that are ACTIVE or DELETED' }),
  partitions: Type.Array(Partition),
  has_more_partitions: Type.Boolean(),
  update_partition_counts: Type.Array(PartitionCountUpdate),
});

export const StreamListReply = Type.Object({
  total_number: Type.Integer({ minimum: 0, description: 'streams of the project' }),
  stream_names: Type.Array(Type.String()),
  has_more_streams: Type.Boolean(),
  stream_info_list: Type.Array(Type.Object({ ...SUMMARY, partition_count: Count })),
});
