/** Everything that a consumer group is, and its text in the catalog: what one node has written the next one goes on from. */
import type { Principal } from '../../model/principal.ts';
import type { Interest, Subscription } from './interest.ts';
import { NamePattern } from './name-pattern.ts';

/** What a member says when it joins. */
export interface JoinRequest {
  readonly clientId: string;
  readonly interest: Interest;
  readonly subscription: Subscription;
  /** It wants no pause for others to come. */
  readonly accelerated: boolean;
  /** How long a round may take, in ms. */
  readonly rebalanceTimeoutMs: number;
}

/** Numbers of partitions by number of their stream. */
export type PartitionSets = ReadonlyMap<number, readonly number[]>;

/** Times are those of the group's clock, in ms. */
export interface Member {
  request: JoinRequest;
  /** When it last called, or up to when it was told to wait. */
  seenAt: number;
  /** `seenAt` as others know it, who go by the text. */
  savedAt: number;
  /** In a round: it has joined in it. */
  joined: boolean;
  /** It knows what it got in this generation. */
  synced: boolean;
  /** What it got in this generation. */
  owned: PartitionSets;
}

export interface Round {
  readonly beganAt: number;
  /** When a member came that the group did not know before; undefined: none did. */
  newcomerAt: number | undefined;
}

export interface GroupState {
  readonly generation: number;
  /** By client id, in the order in which they came. */
  readonly members: ReadonlyMap<string, Member>;
  readonly round: Round | undefined;
  /** The partitions that were given out in this generation. */
  readonly given: PartitionSets;
}

/** A group that nobody has joined. `generation`: the last one that may have been used. */
export function emptyGroup(generation: number): GroupState {
  return { generation, members: new Map(), round: undefined, given: new Map() };
}

interface Text {
  readonly generation: number;
  readonly round: { readonly beganAt: number; readonly newcomerAt?: number } | null;
  readonly given: readonly (readonly [number, readonly number[]])[];
  readonly members: readonly TextMember[];
}

interface TextMember {
  readonly id: string;
  readonly caller: Principal;
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly pattern: string | null;
  readonly subscription: readonly (readonly [number, string])[];
  readonly accelerated: boolean;
  readonly timeout: number;
  readonly seen: number;
  readonly joined: boolean;
  readonly synced: boolean;
  readonly owned: readonly (readonly [number, readonly number[]])[];
}

export function encodeGroup({ generation, members, round, given }: GroupState): string {
  const text: Text = {
    generation,
    round: round === undefined ? null : (round as Text['round']),
    given: [...given],
    members: Array.from(members, ([id, { request, seenAt, joined, synced, owned }]): TextMember => {
      const { interest, subscription, accelerated, rebalanceTimeoutMs } = request;
      const { caller, names, ids, pattern } = interest;
      return {
        id,
        caller,
        names,
        ids,
        pattern: pattern?.text ?? null,
        subscription: [...subscription],
        accelerated,
        timeout: rebalanceTimeoutMs,
        seen: seenAt,
        joined,
        synced,
        owned: [...owned],
      };
    }),
  };
  return JSON.stringify(text);
}

/** Takes what `encodeGroup` has made. */
export function decodeGroup(encoded: string): GroupState {
  const { generation, round, given, members } = JSON.parse(encoded) as Text;
  const decoded = members.map((member): [string, Member] => {
    const { id, caller, names, ids, pattern, subscription, accelerated, timeout, seen, joined, synced, owned } = member;
    const interest = { caller, names, ids, pattern: pattern === null ? undefined : new NamePattern(pattern) };
    const request: JoinRequest = {
      clientId: id,
      interest,
      subscription: new Map(subscription),
      accelerated,
      rebalanceTimeoutMs: timeout,
    };
    return [id, { request, seenAt: seen, savedAt: seen, joined, synced, owned: new Map(owned) }];
  });
  return {
    generation,
    members: new Map(decoded),
    round: round === null ? undefined : { beganAt: round.beganAt, newcomerAt: round.newcomerAt },
    given: new Map(given),
  };
}
