/**
 * Whether this node is one of the cluster's. It says so in the catalog three times in a lease; when it could not for as long
 * as a lease lasts it counts as dead, for the others by PostgreSQL's clock, and for itself by its own: that one is asked at
 * every use, so a process that was stopped knows before it does anything. What was dead comes back as another node.
 */
import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { deleteDeadNodes, deleteNode, deleteNodesOf, insertNode, renewNode } from '../../catalog/nodes.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Clock } from '../../platform/clock.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';

export interface MembershipOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly name: string;
  readonly version: string;
  readonly url: () => string;
  readonly leaseMs: number;
  /**
   * It is about to be one, for the first time or again, under another id: `change` is the last one that it need not ask for.
   */
  readonly onJoined: (change: number) => void;
  /** Whether it does what others count on; a node that does not lets its membership lapse. */
  readonly isFit: () => boolean;
  readonly onError: (error: unknown) => void;
}

const RENEWALS_PER_LEASE = 3;
/** Part of the lease for which a node trusts itself: its clock and PostgreSQL's need not run equally fast. */
const TRUSTED_PART = 0.9;
const FORGET_MS = 3_600_000;

export class Membership {
  readonly #options: MembershipOptions;
  #id: string;
  #trustedUntil = -Infinity;
  #renewals: Repetition | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#id = options.name;
  }

  /** Of this membership: another one after each time that it lapsed. */
  get id(): string {
    return this.#id;
  }

  get valid(): boolean {
    return this.#options.clock.monotonic() < this.#trustedUntil;
  }

  /** Rejects when PostgreSQL cannot be reached. */
  async open(): Promise<void> {
    const { clock, leaseMs, onError } = this.#options;
    await this.#join();
    const renew = async () => (await this.#renew()) || (await this.#join());
    // A connection may turn out to be dead when it is used: there is time for another one.
    const renewTwice = async () =>
      renew().catch((error: unknown) => {
        onError(error);
        return renew();
      });
    this.#renewals = repeat(clock, leaseMs / RENEWALS_PER_LEASE, renewTwice, onError);
  }

  async close(): Promise<void> {
    await this.#renewals?.close();
    this.#trustedUntil = -Infinity;
    await deleteNode(this.#options.db, this.#id);
  }

  async #join(): Promise<void> {
    const { db, clock, name, version, url, leaseMs, onJoined } = this.#options;
    // Nobody is to wait for what is not there any more: this node before it lapsed, or before it was started again.
    await deleteNodesOf(db, name);
    const id = `${name}/${randomUUID().slice(0, 8)}`;
    const asked = clock.monotonic();
    const change = await insertNode(db, { id, name, version, url: url() }, leaseMs);
    this.#id = id;
    onJoined(change);
    this.#trust(asked);
    await deleteDeadNodes(db, FORGET_MS);
  }

  async #renew(): Promise<boolean> {
    const { db, clock, url, leaseMs, isFit } = this.#options;
    if (this.valid && !isFit()) throw new Error('what other nodes change is not taken in');
    const asked = clock.monotonic();
    const alive = await renewNode(db, { id: this.#id, url: url() }, leaseMs);
    // Whoever has doubted itself meanwhile has given up its leases: it must not go on as if it had not.
    if (!alive || !this.valid) return false;
    this.#trust(asked);
    return true;
  }

  /** `asked`: before PostgreSQL can have counted. */
  #trust(asked: number): void {
    this.#trustedUntil = asked + this.#options.leaseMs * TRUSTED_PART;
  }
}
