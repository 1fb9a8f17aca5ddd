/** The bodies of the dump task operations. Some clients send null or "" for what they do not set. */
import Type, { type Static, type TSchema } from 'typebox';

/** A member that may be missing or null. */
const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

const ObsDestinationDescriptor = Type.Object({
  task_name: Type.String(),
  agency_name: optional(Type.String()),
  obs_bucket_path: Type.String(),
  file_prefix: optional(Type.String()),
  partition_format: optional(Type.String()),
  deliver_time_interval: optional(Type.Integer()),
  deliver_size_interval: optional(Type.Integer()),
  record_delimiter: optional(Type.String()),
  destination_file_type: optional(Type.String()),
  consumer_strategy: optional(Type.String()),
  retry_duration: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
  deliver_data_type: optional(Type.String()),
  compression_format: optional(Type.String()),
  processing_schema: Type.Optional(Type.Unknown()),
});

/** Create and update. The descriptor may be missing when the destination is one that is refused anyway. */
export const TransferTaskBody = Type.Object({
  destination_type: optional(Type.String()),
  obs_destination_descriptor: Type.Optional(ObsDestinationDescriptor),
});
export type TransferTaskBody = Static<typeof TransferTaskBody>;

export const TransferTaskActionBody = Type.Object({
  action: Type.Unsafe<'start' | 'stop'>({ enum: ['start', 'stop'] }),
  tasks: Type.Array(Type.Object({ id: Type.String() })),
});
export type TransferTaskActionBody = Static<typeof TransferTaskActionBody>;
