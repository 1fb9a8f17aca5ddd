/** The bodies of the stream operations. */
import Type, { type Static } from 'typebox';
import { DATA_TYPES, STREAM_TYPES } from '../../model/stream.ts';
import { COMPRESSION_FORMATS } from '../../streams/stream-settings.ts';
import { choice, optional } from './optional.ts';

const Tag = Type.Object({ key: Type.String(), value: Type.String() });

export const CreateStreamBody = Type.Object({
  stream_name: Type.String(),
  partition_count: Type.Integer(),
  stream_type: choice(STREAM_TYPES),
  data_type: choice(DATA_TYPES),
  data_duration: optional(Type.Integer()),
  data_schema: optional(Type.String()),
  csv_properties: optional(Type.Object({ delimiter: optional(Type.String()) })),
  compression_format: choice(COMPRESSION_FORMATS),
  auto_scale_enabled: optional(Type.Boolean()),
  auto_scale_min_partition_count: optional(Type.Integer()),
  auto_scale_max_partition_count: optional(Type.Integer()),
  tags: optional(Type.Array(Tag)),
  sys_tags: optional(Type.Array(Tag)),
});

export type CreateStreamBody = Static<typeof CreateStreamBody>;
