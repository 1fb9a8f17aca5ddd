/** The body of a put. Absent, null and "" mean the same in optional members: some clients always send all of them. */
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
    }),
  ),
});

export type PutRecordsBody = Static<typeof PutRecordsBody>;
