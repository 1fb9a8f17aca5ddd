/** The bodies of the operations that change a stream, and their answers. */
import Type, { type Static } from 'typebox';
import { DATA_TYPES } from '../../model/stream.ts';
import { choice, optional } from './optional.ts';
import { PartitionCount, PartitionCountUpdate } from './streams.ts';

const stream_name = optional(Type.String({ description: 'the stream of the path' }));

export const ScaleStreamBody = Type.Object({
  stream_name,
  target_partition_count: PartitionCount,
});
export type ScaleStreamBody = Static<typeof ScaleStreamBody>;

export const ScaleStreamReply = Type.Object({
  stream_name: Type.String(),
  current_partition_count: Type.Integer({ minimum: 1, description: 'before the change' }),
  target_partition_count: Type.Integer({ minimum: 1, description: 'after it' }),
});

const CHANGES = {
  stream_name,
  data_type: choice(DATA_TYPES),
  data_schema: optional(Type.String({ description: 'Avro schema of JSON and CSV records' })),
  auto_scale_enabled: optional(Type.Boolean()),
  auto_scale_min_partition_count: optional(PartitionCount),
  auto_scale_max_partition_count: optional(PartitionCount),
};

export const UpdateStreamBody = Type.Object({
  ...CHANGES,
  data_duration: optional(Type.Integer({ description: 'hours for which records are kept' })),
});
export type UpdateStreamBody = Static<typeof UpdateStreamBody>;

const UPDATE_TYPES = ['AUTO_SCALE', 'DATA_TYPE'] as const;

export const UpdateStreamByTypeBody = Type.Object({ ...CHANGES, update_type: choice(UPDATE_TYPES) });
export type UpdateStreamByTypeBody = Static<typeof UpdateStreamByTypeBody>;

export const UpdateStreamByTypeReply = Type.Object({
  stream_name: Type.String(),
  target_data_type: Type.Optional(Type.Unsafe<string>({ enum: [...DATA_TYPES], description: 'for DATA_TYPE' })),
});

const ScalingLogEntry = Type.Object({
  ...PartitionCountUpdate.properties,
  result_msg: Type.String({ description: 'why it failed; empty when it did not' }),
});

export const ScalingLogReply = Type.Object({
  total_number: Type.Integer({ minimum: 0 }),
  update_partition_counts: Type.Array(ScalingLogEntry, { description: 'of the last seven days, the newest last' }),
});
