/** Several nodes over one PostgreSQL: puts membership, leases, changes and locks together. See ../cluster.ts. */
import { selectLeases } from '../../catalog/leases.ts';
import { selectLastChange } from '../../catalog/changes.ts';
import { selectLiveNodes } from '../../catalog/nodes.ts';
import { CatalogDialect } from '../../catalog/postgres/dialect.ts';
import { openPool } from '../../catalog/postgres/open-pool.ts';
import { parsers } from '../../catalog/postgres/parsers.ts';
import { Kysely } from 'kysely';
import type { ClientConfig } from 'pg';
import type { Database } from '../../catalog/schema.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import type { Announced, Change, Cluster, Leases, NodeStatus } from '../cluster.ts';
import { ChangeFeed, CHANGED, SEEN } from './change-feed.ts';
import { Exclusive } from './exclusive.ts';
import { LeaseKeeper, LEASES } from './lease-keeper.ts';
import { Membership } from './membership.ts';
import { Notifications } from './notifications.ts';

export interface PostgresClusterOptions {
  readonly db: Kysely<Database>;
  /** For connections beside those of `db`. */
  readonly connection: ClientConfig;
  readonly name: string;
  readonly version: string;
  /** Where this node listens, once it does. */
  readonly url: () => string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** What goes wrong in the background; all of it is tried again. */
  readonly onError: (error: unknown, what: string) => void;
}

/** A renewal, a look at the leases and a reading of changes at once. */
const CONNECTIONS = 3;
/** Tries that a statement has within a lease. */
const TRIES_PER_LEASE = 4;

/**
 * Joins the cluster. The catalog is to be read after this, and `follow` to be called before: no change is missed then.
 * Rejects when PostgreSQL cannot be reached.
 */
export async function joinPostgresCluster(options: PostgresClusterOptions): Promise<Cluster> {
  const cluster = new PostgresCluster(options);
  await cluster.open();
  return cluster;
}

class PostgresCluster implements Cluster {
  readonly #options: PostgresClusterOptions;
  /** Of its own: what keeps a node alive must not wait for what users do. */
  readonly #db: Kysely<Database>;
  readonly #membership: Membership;
  readonly #feed: ChangeFeed;
  readonly #keeper: LeaseKeeper;
  readonly #exclusive: Exclusive;
  readonly #notifications: Notifications;
  #joined = false;

  constructor(options: PostgresClusterOptions) {
    this.#options = options;
    const { connection, clock, random, leaseMs, name, version, url } = options;
    const onError = (what: string) => (error: unknown) => options.onError(error, what);
    const db = openOwn(options);
    this.#db = db;
    this.#membership = new Membership({
      ...{ db, clock, name, version, url, leaseMs },
      onJoined: (change) => {
        this.#feed.joined(change, this.#joined);
        this.#joined = true;
        this.#keeper.nodesChanged().catch(onError('other nodes could not be told of this one'));
      },
      isFit: () => this.#feed.isPrompt,
      onError: onError('membership could not be renewed'),
    });
    const membership = this.#membership;
    this.#feed = new ChangeFeed({ db, clock, membership, leaseMs, onError: onError('changes could not be read') });
    this.#keeper = new LeaseKeeper({
      ...{ db, clock, random, membership, leaseMs },
      onError: onError('leases could not be read'),
    });
    this.#exclusive = new Exclusive({ connection, clock, leaseMs, onError: onError('a lock broke') });
    this.#notifications = new Notifications({
      connection,
      clock,
      channels: [CHANGED, SEEN, LEASES],
      onNotice: (channel) => this.#noticed(channel),
      onError: onError('notices of other nodes are not heard'),
    });
  }

  async open(): Promise<void> {
    try {
      await this.#membership.open();
    } catch (error) {
      await this.#closeConnections();
      throw error;
    }
    this.#feed.open();
    this.#keeper.open();
    await this.#notifications.open();
  }

  get nodeId(): string {
    return this.#membership.id;
  }

  get current(): boolean {
    return this.#membership.valid && this.#feed.current;
  }

  get leases(): Leases {
    return this.#keeper;
  }

  async nodes(): Promise<readonly NodeStatus[]> {
    const db = this.#db;
    const [rows, leases, changeLast] = await Promise.all([selectLiveNodes(db), selectLeases(db), selectLastChange(db)]);
    const held = Map.groupBy(leases, ({ owner }) => owner);
    return rows.map(({ id, name, version, url, started_at, renewed_at, change_seen }) => ({
      ...{ id, name, version, url, startedAt: started_at, renewedAt: renewed_at },
      leases: (held.get(id) ?? []).map((lease) => lease.name).toSorted(),
      changeSeen: change_seen,
      changeLast,
    }));
  }

  follow(take: (changes: readonly Change[] | 'all') => Promise<void>): void {
    this.#feed.follow(take);
  }

  async announce(change: Change): Promise<void> {
    const announced = await this.#options.db
      .transaction()
      .execute((transaction) => this.#feed.announceIn(transaction, change));
    await this.#feed.settled(announced);
  }

  announceIn(transaction: Kysely<Database>, change: Change): Promise<Announced> {
    return this.#feed.announceIn(transaction, change);
  }

  settled(announced: Announced): Promise<void> {
    return this.#feed.settled(announced);
  }

  exclusive<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.#exclusive.run(name, job);
  }

  async close(): Promise<void> {
    await this.#notifications.close();
    await this.#feed.close();
    await this.#keeper.close();
    try {
      // What a node that is gone had is anybody's.
      await this.#membership.close();
      await this.#keeper.nodesChanged();
    } finally {
      await this.#closeConnections();
    }
  }

  async #closeConnections(): Promise<void> {
    await this.#exclusive.close();
    await this.#db.destroy();
  }

  #noticed(channel: string): void {
    if (channel === CHANGED) this.#feed.read().catch((error: unknown) => this.#options.onError(error, 'changes'));
    else if (channel === SEEN) this.#feed.seenElsewhere();
    else this.#keeper.lookSoon();
  }
}

function openOwn({ connection, leaseMs, onError }: PostgresClusterOptions): Kysely<Database> {
  const limit = Math.ceil(leaseMs / TRIES_PER_LEASE);
  const limits = { connectionTimeoutMillis: limit, statement_timeout: limit, lock_timeout: limit };
  const config = { ...connection, ...limits, max: CONNECTIONS, idleTimeoutMillis: limit / 2, types: parsers };
  const pool = openPool(config, limit, (error) => onError(error, 'a connection of the cluster broke'));
  return new Kysely<Database>({ dialect: new CatalogDialect({ pool }) });
}
