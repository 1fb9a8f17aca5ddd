/** The bodies and answers of the checkpoint operations. */
import Type, { type Static } from 'typebox';
import { optional } from './optional.ts';

/** The only type that there is. */
export const CHECKPOINT_TYPE = 'LAST_READ';

export const CommitCheckpointBody = Type.Object({
  app_name: Type.String(),
  checkpoint_type: Type.Literal(CHECKPOINT_TYPE),
  stream_name: optional(Type.String({ description: 'this or stream_id' })),
  stream_id: optional(Type.String({ description: 'of a stream that may be another account’s' })),
  partition_id: Type.String({ description: '`shardId-0000000000` or `0`' }),
  sequence_number: Type.Union([Type.String({ description: 'decimal' }), Type.Integer()]),
  metadata: optional(Type.String({ description: 'whatever the app wants to find again' })),
  client_id: optional(
    Type.String({ maxLength: 256, description: 'the commit is that of a member of the consumer group' }),
  ),
  generation_id: optional(Type.Integer({ description: 'with client_id: the generation that the member is in' })),
});
export type CommitCheckpointBody = Static<typeof CommitCheckpointBody>;

export const CheckpointReply = Type.Object({
  sequence_number: Type.String({ pattern: '^(-1|\\d+)$', description: '-1: nothing was committed' }),
  metadata: Type.String(),
});
