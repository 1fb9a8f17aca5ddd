/** The bodies and answers of the permission entries of streams. */
import Type, { type Static } from 'typebox';
import { SHARED_ACTIONS } from '../../model/stream.ts';
import { choice, optional } from './optional.ts';

const EFFECTS = ['accept', 'deny'] as const;

export const PolicyBody = Type.Object({
  stream_id: Type.String({ description: 'id of the stream of the path' }),
  principal_name: optional(
    Type.String({
      description: '`domain`, `domain.*`, `domain.user` or `*`, several with commas; this or principal_id',
    }),
  ),
  principal_id: optional(Type.String({ description: 'ids of accounts, several with commas' })),
  action_type: Type.Unsafe<(typeof SHARED_ACTIONS)[number]>({ enum: [...SHARED_ACTIONS] }),
  effect: choice(EFFECTS),
});
export type PolicyBody = Static<typeof PolicyBody>;

export const PoliciesReply = Type.Object({
  stream_id: Type.String(),
  rules: Type.Array(
    Type.Object({
      principal: Type.String({
        description: '`*`, or the id of an account followed by `.*` or by `.` and a user’s id',
      }),
      principal_name: Type.String(),
      action_type: Type.Unsafe<string>({ enum: [...SHARED_ACTIONS] }),
      effect: Type.Unsafe<string>({ enum: [...EFFECTS] }),
    }),
  ),
});
