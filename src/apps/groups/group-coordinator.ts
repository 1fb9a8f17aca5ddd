/**
 * The consumer groups of this node. A group is an app; it is here as soon as somebody joins it. Members are kept in memory
 * alone: after a restart their heartbeats tell them to join again. Only the generation outlives the process, since a
 * commit of an old generation has to be refused whenever it comes: generations are set aside in the catalog, a block at a
 * time, before the first of them is used.
 */
import { reserveGenerations } from '../../catalog/apps.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import { DomainError, isDomainError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import { Lane } from '../../platform/lane.ts';
import { statusAt } from '../../streams/partition-status.ts';
import type { StreamRegistry } from '../../streams/stream-registry.ts';
import type { AppRegistry } from '../app-registry.ts';
import { Group, type GroupStreams, type MemberState, type SyncOutcome } from './group.ts';
import { resubscribe, subscribe, type Interest, type Subscription } from './interest.ts';

export interface GroupCoordinatorOptions {
  readonly db: Catalog['db'];
  readonly apps: AppRegistry;
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  readonly limits: Limits;
}

export interface JoinCall {
  readonly clientId: string;
  readonly interest: Interest;
  readonly accelerated: boolean;
  /** In ms; undefined: the usual time. */
  readonly rebalanceTimeoutMs: number | undefined;
}

export type JoinOutcome =
  | { readonly state: 'OK'; readonly subscription: readonly string[]; readonly syncDelayedTimeMs: number }
  | { readonly state: 'ERR_SUBSCRIPTION' | 'GROUP_NOT_EXIST' };

/** The adapter's own default. */
const USUAL_REBALANCE_MS = 20_000;
/** Nobody is to be out before it could ask, and nobody is to wait for ever. */
const SHORTEST_REBALANCE_MS = 1000;
const LONGEST_REBALANCE_MS = 300_000;
/** A restart skips what is left of a block. */
const GENERATIONS_PER_BLOCK = 100;

interface KnownGroup {
  readonly group: Group;
  /** The last generation that is set aside for it. */
  reserved: number;
}

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #streams: GroupStreams;
  /** By id of the app. */
  readonly #groups = new Map<string, KnownGroup>();
  readonly #reservations = new Lane();

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#streams = viewOf(options);
  }

  /** Throws TooManyConsumers, and NotPermitted for a stream that the caller may not read. */
  async join(projectId: string, groupName: string, call: JoinCall): Promise<JoinOutcome> {
    const { apps, registry, clock } = this.#options;
    const app = apps.find(projectId, groupName);
    if (app === undefined) return { state: 'GROUP_NOT_EXIST' };
    // Again each time: another member may have ended a round, and used up what was set aside, while this one waited.
    for (let known = this.#groups.get(app.id); !hasGeneration(known); known = this.#groups.get(app.id)) {
      await this.#reservations.run(() => this.#reserve(app));
      if (!apps.has(app.id)) return { state: 'GROUP_NOT_EXIST' };
    }
    const { group } = this.#groups.get(app.id)!;

    const now = clock.monotonic();
    group.advance(now);
    const { clientId, interest, accelerated, rebalanceTimeoutMs } = call;
    const subscription = trySubscribe(registry, interest);
    if (subscription === undefined) {
      // Whatever it had before: a client that is told this gives up.
      group.leave(clientId, now);
      return { state: 'ERR_SUBSCRIPTION' };
    }
    const timeout = rebalanceTimeoutMs ?? USUAL_REBALANCE_MS;
    const delay = group.join(
      { clientId, interest, subscription, accelerated, rebalanceTimeoutMs: bounded(timeout) },
      now,
    );
    return { state: 'OK', subscription: [...subscription.values()], syncDelayedTimeMs: Math.ceil(delay) };
  }

  sync(projectId: string, groupName: string, clientId: string): SyncOutcome | { readonly state: 'GROUP_NOT_EXIST' } {
    const app = this.#options.apps.find(projectId, groupName);
    if (app === undefined) return { state: 'GROUP_NOT_EXIST' };
    return this.#advanced(app)?.sync(clientId, this.#options.clock.monotonic()) ?? { state: 'REJOIN' };
  }

  heartbeat(
    projectId: string,
    groupName: string,
    clientId: string,
    generation: number | undefined,
  ): MemberState | 'GROUP_NOT_EXIST' {
    const app = this.#options.apps.find(projectId, groupName);
    if (app === undefined) return 'GROUP_NOT_EXIST';
    return this.#advanced(app)?.heartbeat(clientId, generation, this.#options.clock.monotonic()) ?? 'JOINING';
  }

  /** Whoever is no member has left already. Throws AppNotFound. */
  leave(projectId: string, groupName: string, clientId: string): void {
    const app = this.#options.apps.require(projectId, groupName);
    this.#advanced(app)?.leave(clientId, this.#options.clock.monotonic());
  }

  /** See Group.requireOwner. */
  requireOwner(app: ConsumerApp, clientId: string, generation: number | undefined, ref: PartitionRef): void {
    const group = this.#advanced(app);
    if (group === undefined) throw new DomainError('MemberGone', [clientId.slice(0, 256)]);
    group.requireOwner(clientId, generation, ref, this.#options.clock.monotonic());
  }

  onlineMembers(app: ConsumerApp): number {
    return this.#advanced(app)?.size ?? 0;
  }

  /** To be called when an app is gone. */
  forget(app: ConsumerApp): void {
    this.#groups.delete(app.id);
  }

  /** The group of an app as it is now; undefined when nobody has joined it yet. */
  #advanced(app: ConsumerApp): Group | undefined {
    const group = this.#groups.get(app.id)?.group;
    group?.advance(this.#options.clock.monotonic());
    return group;
  }

  /** Sets generations aside, unless another call has just done it, for a group that is made if need be. */
  async #reserve(app: ConsumerApp): Promise<void> {
    const { db, apps, limits } = this.#options;
    const known = this.#groups.get(app.id);
    if (hasGeneration(known)) return;
    const reserved = await reserveGenerations(db, app.id, GENERATIONS_PER_BLOCK);
    if (reserved === undefined || !apps.has(app.id)) return;
    if (known !== undefined) {
      known.reserved = reserved;
      return;
    }
    const sizes = { members: limits.group_members, sessionMs: limits.group_session_seconds * 1000 };
    const group = new Group(this.#streams, sizes, reserved - GENERATIONS_PER_BLOCK);
    this.#groups.set(app.id, { group, reserved });
  }
}

/** Whether a generation is set aside for the round that a member may begin by joining. */
function hasGeneration(known: KnownGroup | undefined): boolean {
  return known !== undefined && known.group.generation < known.reserved;
}

function bounded(timeoutMs: number): number {
  return Math.min(Math.max(timeoutMs, SHORTEST_REBALANCE_MS), LONGEST_REBALANCE_MS);
}

/** Undefined when a stream is not there, or when nothing is asked for. */
function trySubscribe(registry: StreamRegistry, interest: Interest): Subscription | undefined {
  const { names, ids, pattern } = interest;
  if (names.length === 0 && ids.length === 0 && pattern === undefined) return undefined;
  try {
    return subscribe(registry, interest);
  } catch (error) {
    if (isDomainError(error, 'StreamNotFound')) return undefined;
    throw error;
  }
}

function viewOf({ registry, clock }: GroupCoordinatorOptions): GroupStreams {
  return {
    get version() {
      return registry.version;
    },
    subscription: (interest) => resubscribe(registry, interest),
    partitions: (number) => {
      const stream = registry.byNumber(number);
      if (stream === undefined) return [];
      const now = clock.now();
      return stream.partitions
        .filter((partition) => statusAt(stream, partition, now) !== 'EXPIRED')
        .map(({ ref }) => ref.partition);
    },
  };
}
