/**
 * One consumer group: who its members are, and which partitions each of them reads. A state machine without timers: time
 * comes with every call, and a group at which nobody looks does not change.
 *
 * A *round* gives the partitions out anew: it begins when a member joins, leaves or falls silent and when the streams
 * change; every member has to join again, which it learns from its heartbeat; it ends when all have, or when the time for
 * it is over, without those that did not. Each end is a new generation. Partitions are given to nobody else before their
 * owner has joined again or is out, and what it commits after that is refused: see `requireOwner`.
 *
 * Every call is made with the group brought up to now by `advance`.
 */
import { DomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import { assign, type SharedStream } from './assignment.ts';
import type { GroupState, JoinRequest, Member, PartitionSets, Round } from './group-state.ts';
import { sameSubscription, type Interest, type Subscription } from './interest.ts';

/** The streams as the group sees them. */
export interface GroupStreams {
  /** Changes whenever a stream does, as this node sees it. */
  readonly version: number;
  subscription(interest: Interest): Subscription;
  /** Numbers of the partitions of a stream that can be read, in ascending order. */
  partitions(stream: number): readonly number[];
}

export interface GroupLimits {
  readonly members: number;
  /** Silence after which a member is out, in ms. */
  readonly sessionMs: number;
  /** How old what others know of a member's last call may be, in ms: nobody is out before that has passed, too. */
  readonly unsavedMs: number;
}

export type SyncOutcome =
  | { readonly state: 'OK'; readonly generation: number; readonly assignment: Readonly<Record<string, number[]>> }
  | { readonly state: 'WAITING' | 'REJOIN' };

export type MemberState = 'JOINING' | 'SYNCING' | 'STABLE';

/**
 * How long a round waits after each newcomer for the next one: consumers are started together, and each one that comes
 * too late for a round costs another.
 */
const GATHER_MS = 3000;

export class Group {
  readonly #streams: GroupStreams;
  readonly #limits: GroupLimits;
  readonly #members: Map<string, Member>;
  #generation: number;
  #round: Round | undefined;
  /** The partitions that were given out in this generation, by stream number. */
  #given: PartitionSets;
  /** Something of it is not saved. */
  #unsaved = false;
  /** The version of the streams that the subscriptions were last compared with. */
  #version = -1;
  /** Nobody is silent for too long before this. */
  #noSilenceBefore = -Infinity;

  constructor(streams: GroupStreams, limits: GroupLimits, state: GroupState) {
    this.#streams = streams;
    this.#limits = limits;
    this.#generation = state.generation;
    this.#members = new Map(state.members);
    this.#round = state.round;
    this.#given = state.given;
  }

  /** What has to be saved, so that others can go on from it; undefined: what was saved last is good enough. */
  takeUnsaved(): GroupState | undefined {
    if (!this.#unsaved) return undefined;
    this.#unsaved = false;
    for (const member of this.#members.values()) member.savedAt = member.seenAt;
    return { generation: this.#generation, members: this.#members, round: this.#round, given: this.#given };
  }

  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Does what is due at `now` (ms of a clock that never goes back). */
  advance(now: number): void {
    this.#dropSilent(now);
    this.#compareStreams(now);
    this.#endRound(now);
  }

  /** Ms until it is worth while to sync. Throws TooManyConsumers. */
  join(request: JoinRequest, now: number): number {
    const { clientId } = request;
    const known = this.#members.get(clientId);
    // The same call again, its answer lost or made by another thread: what it is about is settled already.
    if (known !== undefined && this.#round === undefined && !known.synced && sameRequest(known.request, request)) {
      this.#see(clientId, now);
      return 0;
    }
    if (known === undefined && this.#members.size >= this.#limits.members) {
      throw new DomainError('TooManyConsumers', [this.#limits.members]);
    }
    const round = (this.#round ??= this.#beginRound(now));
    if (known === undefined) round.newcomerAt = now;
    const owned = known?.owned ?? new Map<number, readonly number[]>();
    const member: Member = { request, seenAt: now, savedAt: now, joined: true, synced: false, owned };
    this.#members.set(clientId, member);
    this.#unsaved = true;
    this.#endRound(now);
    const delay = this.#round === undefined ? 0 : Math.max(0, this.#gatheredAt(round) - now);
    // Who is told to wait may be silent meanwhile.
    member.seenAt += delay;
    return delay;
  }

  sync(clientId: string, now: number): SyncOutcome {
    const member = this.#see(clientId, now);
    if (member === undefined) return { state: 'REJOIN' };
    if (this.#round !== undefined) return { state: member.joined ? 'WAITING' : 'REJOIN' };
    if (!member.synced) this.#unsaved = true;
    member.synced = true;
    const assignment: Record<string, number[]> = {};
    for (const [stream, partitions] of member.owned) {
      assignment[member.request.subscription.get(stream)!] = [...partitions];
    }
    return { state: 'OK', generation: this.#generation, assignment };
  }

  heartbeat(clientId: string, generation: number | undefined, now: number): MemberState {
    const member = this.#see(clientId, now);
    if (member === undefined) return 'JOINING';
    if (this.#round !== undefined) return member.joined ? 'SYNCING' : 'JOINING';
    if (!member.synced) return 'SYNCING';
    return generation === this.#generation ? 'STABLE' : 'JOINING';
  }

  /** Takes a member out, if it is one. */
  leave(clientId: string, now: number): void {
    const member = this.#members.get(clientId);
    if (member !== undefined) this.#remove([[clientId, member]], now);
  }

  /**
   * Throws MemberGone, GroupRebalancing while a round is open, and GenerationMismatch for an earlier generation
   * (undefined: any) and for a partition that is not the member's.
   */
  requireOwner(clientId: string, generation: number | undefined, ref: PartitionRef, now: number): void {
    const member = this.#see(clientId, now);
    if (member === undefined) throw new DomainError('MemberGone', [clientId]);
    if (this.#round !== undefined) throw new DomainError('GroupRebalancing', [clientId]);
    if (generation !== undefined && generation !== this.#generation) {
      throw new DomainError('GenerationMismatch', [generation, this.#generation]);
    }
    if (member.owned.get(ref.stream)?.includes(ref.partition) === true) return;
    throw new DomainError('GenerationMismatch', [clientId, `partition ${ref.partition} is not assigned to it`]);
  }

  #see(clientId: string, now: number): Member | undefined {
    const member = this.#members.get(clientId);
    if (member === undefined) return undefined;
    member.seenAt = now;
    if (now - member.savedAt >= this.#limits.unsavedMs) this.#unsaved = true;
    return member;
  }

  #dropSilent(now: number): void {
    if (now < this.#noSilenceBefore) return;
    const sessionMs = this.#limits.sessionMs + this.#limits.unsavedMs;
    this.#remove(
      [...this.#members].filter(([, { seenAt }]) => now - seenAt >= sessionMs),
      now,
    );
    let earliest = Infinity;
    for (const { seenAt } of this.#members.values()) earliest = Math.min(earliest, seenAt);
    // Who joins from now on is not silent before this either.
    this.#noSilenceBefore = Math.min(earliest, now) + sessionMs;
  }

  /** Begins a round, or sends members back to join again, when they would get something else now. */
  #compareStreams(now: number): void {
    const { version } = this.#streams;
    if (version === this.#version) return;
    this.#version = version;
    let changed = [...this.#given].some(([stream, numbers]) => !sameNumbers(this.#streams.partitions(stream), numbers));
    for (const member of this.#members.values()) {
      const { interest, subscription } = member.request;
      if (sameSubscription(this.#streams.subscription(interest), subscription)) continue;
      // Clients read from no stream that they were not told of when they joined.
      if (member.joined) this.#unsaved = true;
      member.joined = false;
      changed = true;
    }
    if (changed && this.#round === undefined && this.#members.size > 0) this.#round = this.#beginRound(now);
  }

  #remove(members: readonly (readonly [string, Member])[], now: number): void {
    if (members.length > 0) this.#unsaved = true;
    for (const [clientId] of members) this.#members.delete(clientId);
    if (this.#members.size === 0) this.#round = undefined;
    else if (this.#round === undefined && members.some(([, { owned }]) => owned.size > 0)) {
      this.#round = this.#beginRound(now);
    }
    this.#endRound(now);
  }

  #beginRound(now: number): Round {
    this.#unsaved = true;
    for (const member of this.#members.values()) member.joined = false;
    return { beganAt: now, newcomerAt: undefined };
  }

  /** Ends the round if it is time to. */
  #endRound(now: number): void {
    const round = this.#round;
    if (round === undefined) return;
    const members = [...this.#members.values()];
    const complete = members.every(({ joined }) => joined) && now >= this.#gatheredAt(round);
    if (!complete && now < this.#deadline(round)) return;
    for (const [clientId, { joined }] of this.#members) if (!joined) this.#members.delete(clientId);
    this.#round = undefined;
    this.#unsaved = true;
    if (this.#members.size > 0) this.#giveOut();
  }

  /** Until then newcomers are waited for. */
  #gatheredAt(round: Round): number {
    const { beganAt, newcomerAt } = round;
    const hurried = [...this.#members.values()].every(({ joined, request }) => !joined || request.accelerated);
    if (newcomerAt === undefined || hurried) return beganAt;
    return Math.min(newcomerAt + GATHER_MS, this.#deadline(round));
  }

  #deadline({ beganAt }: Round): number {
    let longest = 0;
    for (const { request } of this.#members.values()) longest = Math.max(longest, request.rebalanceTimeoutMs);
    return beganAt + longest;
  }

  #giveOut(): void {
    const subscribers = new Map<number, string[]>();
    const before = new Map<string, ReadonlyMap<number, readonly number[]>>();
    for (const [clientId, { owned, request }] of this.#members) {
      before.set(clientId, owned);
      for (const stream of request.subscription.keys()) {
        const known = subscribers.get(stream);
        if (known === undefined) subscribers.set(stream, [clientId]);
        else known.push(clientId);
      }
    }
    const shared: SharedStream[] = [...subscribers].map(([stream, clients]) => ({
      stream,
      partitions: this.#streams.partitions(stream),
      subscribers: clients,
    }));
    const assignment = assign(shared, before);
    this.#generation += 1;
    this.#given = new Map(shared.map(({ stream, partitions }) => [stream, partitions]));
    for (const [clientId, member] of this.#members) {
      member.owned = assignment.get(clientId) ?? new Map<number, readonly number[]>();
      member.synced = false;
    }
  }
}

function sameRequest(one: JoinRequest, other: JoinRequest): boolean {
  return (
    sameSubscription(one.subscription, other.subscription) &&
    one.interest.pattern?.text === other.interest.pattern?.text
  );
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((number, index) => number === other[index]);
}
