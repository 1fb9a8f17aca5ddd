/** The bodies and answers of consumer groups: camelCase, unlike all the rest. */
import Type, { type Static } from 'typebox';
import { optional } from './optional.ts';

/** What the path says already; not looked at. */
const ADDRESS = { projectId: optional(Type.String()), groupId: optional(Type.String()) };

export const JoinGroupBody = Type.Object({
  ...ADDRESS,
  clientId: Type.String({ minLength: 1, maxLength: 256 }),
  interestedStream: optional(Type.Array(Type.String(), { description: 'names' })),
  interestedStreamIdList: optional(Type.Array(Type.String(), { description: 'ids, also of other accounts’ streams' })),
  streamPattern: optional(Type.String({ description: 'regular expression that whole names match' })),
  accelerateAssignEnabled: optional(Type.Boolean({ description: 'no pause for other members to come' })),
  rebalanceTimeoutMs: optional(Type.Integer({ minimum: 0, description: 'how long to wait for the other members' })),
});
export type JoinGroupBody = Static<typeof JoinGroupBody>;

const state = <T extends string>(...values: T[]) => Type.Unsafe<T>({ type: 'string', enum: values });

export const JoinGroupReply = Type.Object({
  state: state('OK', 'ERR_SUBSCRIPTION', 'GROUP_NOT_EXIST'),
  subscription: Type.Optional(Type.Array(Type.String(), { description: 'with OK: the streams' })),
  syncDelayedTimeMs: Type.Optional(Type.Integer({ minimum: 0, description: 'with OK: to wait before the sync' })),
});

export const MemberBody = Type.Object({
  ...ADDRESS,
  clientId: optional(Type.String()),
  generation: optional(Type.Integer({ description: '-1: none yet' })),
});
export type MemberBody = Static<typeof MemberBody>;

export const SyncGroupReply = Type.Object({
  state: state('OK', 'WAITING', 'REJOIN', 'GROUP_NOT_EXIST'),
  generation: Type.Optional(Type.Integer({ minimum: 1, description: 'with OK' })),
  assignment: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.Integer({ minimum: 0 })), {
      description: 'with OK: numbers of partitions by stream, named as the member named it',
    }),
  ),
});

export const HeartbeatReply = Type.Object({ state: state('JOINING', 'SYNCING', 'STABLE', 'GROUP_NOT_EXIST') });
