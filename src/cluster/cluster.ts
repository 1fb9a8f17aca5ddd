/**
 * What nodes of one installation agree on: who is there, who does which work, and what has changed. `alone.ts` is a server
 * that has everything embedded; `postgres/` is several nodes over one catalog. Nothing here is decided between nodes:
 * PostgreSQL keeps what they agree on.
 */
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';

/** Something that nodes keep in memory has another value in the catalog. */
export interface Change {
  readonly kind: 'stream' | 'app' | 'task' | 'project' | 'metrics';
  /** Which one: the number of a stream, the id of an app or task. */
  readonly key: string;
}

/** The place of a change in their order. */
export type Announced = number;

/** A right to do some work, held by one node at a time. The epoch is another one after each time that it is taken. */
export interface Lease {
  readonly name: string;
  readonly epoch: number;
}

export interface NodeStatus {
  /** As configured, or made up. */
  readonly name: string;
  /** Another one for each start of a node. */
  readonly id: string;
  /** In ms. */
  readonly startedAt: number;
  readonly renewedAt: number;
  readonly version: string;
  readonly url: string;
  /** Names of the leases that it holds. */
  readonly leases: readonly string[] | 'all';
  /** The last change that it has taken in, and the last one that there is. */
  readonly changeSeen: Announced;
  readonly changeLast: Announced;
}

export interface LeaseWatcher {
  /** They have come to this node. */
  taken(leases: readonly Lease[]): void;
  /** Another node should have them: finish what runs, then release them. After `lease_seconds` they are taken by force. */
  wanted(leases: readonly Lease[]): void;
  /** They are not this node's any more: taken by force, or its membership has lapsed. What it still writes is refused. */
  lost(leases: readonly Lease[]): void;
}

export interface Leases {
  /** The lease of a name if this node holds it now. */
  held(name: string): Lease | undefined;
  /** Told from now on; `taken` is called at once with what is held. */
  watch(watcher: LeaseWatcher): void;
  release(leases: readonly Lease[]): Promise<void>;
  /**
   * Within a transaction: names of those of `leases` that are not this node's any more in that epoch. The others stay this
   * node's until the end of the transaction.
   */
  lost(transaction: Kysely<Database>, leases: readonly Lease[]): Promise<ReadonlySet<string>>;
  /** Within a transaction: makes leases that nobody holds. Those that exist stay as they are. */
  add(transaction: Kysely<Database>, names: readonly string[]): Promise<void>;
  /** Within a transaction: there is no such work any more. */
  remove(transaction: Kysely<Database>, names: readonly string[]): Promise<void>;
}

export interface Cluster {
  /** Of this start of this node. */
  readonly nodeId: string;
  /** Whether what this node has in memory is what the catalog says; false when it was cut off for too long. */
  readonly current: boolean;
  readonly leases: Leases;

  /** Every live node, this one included, in order of name. */
  nodes(): Promise<readonly NodeStatus[]>;

  /**
   * `take` is called with the changes that other nodes announce, in order, and with 'all' when this node has missed some.
   * They count as taken in when it resolves; when it rejects it is called again.
   */
  follow(take: (changes: readonly Change[] | 'all') => Promise<void>): void;

  /** Resolves once every live node has taken the change in. To be called when the catalog has it. */
  announce(change: Change): Promise<void>;

  /** The same in two steps: within the transaction that makes the change, and after it. */
  announceIn(transaction: Kysely<Database>, change: Change): Promise<Announced>;
  settled(announced: Announced): Promise<void>;

  /**
   * Runs `job` when no node runs one of this name. Not to be called within itself. A node that is cut off while its job runs
   * loses the right without knowing: what the job writes must be a transaction that is right by itself.
   */
  exclusive<T>(name: string, job: () => Promise<T>): Promise<T>;

  /** Gives up leases and membership, so that others need not wait for them to lapse. */
  close(): Promise<void>;
}
