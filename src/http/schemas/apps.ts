/** The bodies and answers of the operations on apps. */
import Type, { type Static } from 'typebox';
import { PARTITION_STATUSES } from '../../model/stream.ts';
import { CHECKPOINT_TYPE } from './checkpoints.ts';

export const CreateAppBody = Type.Object({
  app_name: Type.String({ description: 'letters, digits, _ and -' }),
});
export type CreateAppBody = Static<typeof CreateAppBody>;

export const AppReply = Type.Object({
  app_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$' }),
  app_name: Type.String(),
  create_time: Type.Integer({ minimum: 0, description: 'milliseconds since 1970' }),
  commit_checkpoint_stream_names: Type.Array(Type.String(), {
    description: 'streams on which the app has checkpoints; those of other projects by their id',
  }),
});

export const AppListReply = Type.Object({
  total_number: Type.Integer({ minimum: 0 }),
  has_more_app: Type.Boolean(),
  apps: Type.Array(AppReply),
});

const Offset = Type.Integer({ minimum: 0 });

export const ConsumptionStateReply = Type.Object({
  has_more: Type.Boolean(),
  stream_name: Type.String(),
  app_name: Type.String(),
  partition_consuming_states: Type.Array(
    Type.Object({
      partition_id: Type.String({ pattern: '^shardId-\\d{10}$' }),
      sequence_number: Type.String({ pattern: '^(-1|\\d+)$', description: '-1: nothing was committed here' }),
      earliest_offset: Offset,
      latest_offset: Type.Integer({ minimum: 0, description: 'of the record that is written next' }),
      checkpoint_type: Type.Literal(CHECKPOINT_TYPE),
      status: Type.Unsafe<string>({ type: 'string', enum: [...PARTITION_STATUSES] }),
      metadata: Type.String(),
    }),
  ),
});
