/**
 * The calls of the members of consumer groups. A group is an app; it is here as soon as somebody joins it. What a group
 * does is group.ts, and where it is kept group-store.ts.
 */
import type { Kysely } from 'kysely';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Database } from '../../catalog/schema.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import { DomainError, isDomainError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import { statusAt } from '../../streams/partition-status.ts';
import type { StreamRegistry } from '../../streams/stream-registry.ts';
import type { AppRegistry } from '../app-registry.ts';
import { CatalogGroups } from './catalog-groups.ts';
import type { Group, GroupStreams, MemberState, SyncOutcome } from './group.ts';
import type { GroupStore } from './group-store.ts';
import { resubscribe, subscribe, type Interest, type Subscription } from './interest.ts';
import { MemoryGroups } from './memory-groups.ts';

export interface GroupCoordinatorOptions {
  readonly db: Catalog['db'];
  readonly apps: AppRegistry;
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Whether other nodes answer for the same groups. */
  readonly shared: boolean;
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

/** What a member wants to commit. */
export interface Claim {
  readonly clientId: string;
  /** Undefined: any. */
  readonly generation: number | undefined;
  readonly ref: PartitionRef;
}

/** The adapter's own default. */
const USUAL_REBALANCE_MS = 20_000;
/** Nobody is to be out before it could ask, and nobody is to wait for ever. */
const SHORTEST_REBALANCE_MS = 1000;
const LONGEST_REBALANCE_MS = 300_000;

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #groups: GroupStore;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    const { db, clock, limits, shared } = options;
    const sizes = { members: limits.group_members, sessionMs: limits.group_session_seconds * 1000 };
    const parts = { db, clock, streams: viewOf(options), ...sizes };
    this.#groups = shared ? new CatalogGroups(parts) : new MemoryGroups(parts);
  }

  /** Throws TooManyConsumers, and NotPermitted for a stream that the caller may not read. */
  async join(projectId: string, groupName: string, call: JoinCall): Promise<JoinOutcome> {
    const app = this.#options.apps.find(projectId, groupName);
    if (app === undefined) return { state: 'GROUP_NOT_EXIST' };
    const outcome = await this.#groups.join(app, (group, now) => this.#join(group, call, now));
    return outcome ?? { state: 'GROUP_NOT_EXIST' };
  }

  async sync(
    projectId: string,
    groupName: string,
    clientId: string,
  ): Promise<SyncOutcome | { readonly state: 'GROUP_NOT_EXIST' }> {
    const app = this.#options.apps.find(projectId, groupName);
    if (app === undefined) return { state: 'GROUP_NOT_EXIST' };
    const outcome = await this.#groups.use(app, (group, now) => group.sync(clientId, now));
    return outcome ?? { state: 'REJOIN' };
  }

  async heartbeat(
    projectId: string,
    groupName: string,
    clientId: string,
    generation: number | undefined,
  ): Promise<MemberState | 'GROUP_NOT_EXIST'> {
    const app = this.#options.apps.find(projectId, groupName);
    if (app === undefined) return 'GROUP_NOT_EXIST';
    const state = await this.#groups.use(app, (group, now) => group.heartbeat(clientId, generation, now));
    return state ?? 'JOINING';
  }

  /** Whoever is no member has left already. Throws AppNotFound. */
  async leave(projectId: string, groupName: string, clientId: string): Promise<void> {
    const app = this.#options.apps.require(projectId, groupName);
    await this.#groups.use(app, (group, now) => group.leave(clientId, now));
  }

  /**
   * Within a locking transaction: why each of the commits is refused, undefined for those that are not; true until the end
   * of the transaction. See Group.requireOwner. Several apps must come in order of their ids.
   */
  async refusals(
    transaction: Kysely<Database>,
    app: ConsumerApp,
    claims: readonly Claim[],
  ): Promise<(DomainError | undefined)[]> {
    const refusals = await this.#groups.useIn(transaction, app, (group, now) =>
      claims.map((claim) => refusalOf(group, claim, now)),
    );
    return refusals ?? claims.map(({ clientId }) => new DomainError('MemberGone', [clientId.slice(0, 256)]));
  }

  /** Runs `job`, which may delete the app, and gives it the count of its members: while there are none, nobody joins. */
  whileClosed<T>(
    app: ConsumerApp,
    job: (onlineMembers: (transaction: Kysely<Database>) => Promise<number>) => Promise<T>,
  ): Promise<T> {
    const onlineMembers = async (transaction: Kysely<Database>) =>
      (await this.#groups.useIn(transaction, app, (group) => group.size)) ?? 0;
    return this.#groups.whileClosed(app, () => job(onlineMembers));
  }

  /** To be called when an app is gone. */
  forget(appId: string): void {
    this.#groups.forget(appId);
  }

  #join(group: Group, call: JoinCall, now: number): JoinOutcome {
    const { clientId, interest, accelerated, rebalanceTimeoutMs } = call;
    const subscription = trySubscribe(this.#options.registry, interest);
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
}

function refusalOf(group: Group, { clientId, generation, ref }: Claim, now: number): DomainError | undefined {
  try {
    group.requireOwner(clientId, generation, ref, now);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
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
