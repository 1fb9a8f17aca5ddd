/** Bodies and answers of putting and getting records. Absent, null and "" mean the same in optional members: some clients always send all of them. */
import Type, { type Static } from 'typebox';

const OptionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]));

export const PutRecordsBody = Type.Object({
  stream_name: OptionalText,
  stream_id: OptionalText,
  records: Type.Array(
    Type.Object({
      data: Type.String(),
      partition_id: OptionalText,
      partition_key: OptionalText,
      explicit_hash_key: OptionalText,
      timestamp: Type.Optional(
        Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()]),
      ),
      extended_info: Type.Optional(
        Type.Unknown({ description: 'a piece of a small file: retired, so a record that has it is refused' }),
      ),
    }),
  ),
});

export type PutRecordsBody = Static<typeof PutRecordsBody>;

/** Per record either where it went or why it was refused, in request order. */
export const PutRecordsReply = Type.Object({
  failed_record_count: Type.Integer({ minimum: 0 }),
  records: Type.Array(
    Type.Object({
      partition_id: Type.Optional(Type.String()),
      sequence_number: Type.Optional(Type.String()),
      error_code: Type.Optional(Type.String()),
      error_message: Type.Optional(Type.String()),
    }),
  ),
});

export const GetRecordsReply = Type.Object({
  records: Type.Array(
    Type.Object({
      partition_key: Type.Optional(Type.String()),
      sequence_number: Type.String(),
      data: Type.String({ description: 'Base64' }),
      timestamp: Type.Integer({ description: 'the producer’s time, else that of arrival, in ms' }),
      timestamp_type: Type.String(),
    }),
  ),
  next_partition_cursor: Type.String(),
  millis_behind_latest: Type.Integer({ minimum: 0 }),
});
