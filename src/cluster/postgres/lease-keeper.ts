/**
 * The leases of this node: takes those that it should have (assignment.ts), tells when another node should have one of its
 * own, and notices what was taken from it. The table is read when a node says that something has changed in it, when the
 * membership of one runs out, and twice in a lease; nothing is written to it for as long as everybody has what they should
 * have.
 */
import { sql, type Kysely } from 'kysely';
import {
  deleteLeases,
  insertLeases,
  lockLeases,
  releaseLeases,
  selectLeases,
  takeLeases,
  type LeaseRow,
} from '../../catalog/leases.ts';
import { selectLiveNodes } from '../../catalog/nodes.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import { pause } from '../../platform/pause.ts';
import type { Random } from '../../platform/random.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';
import { assignLeases } from '../assignment.ts';
import type { Lease, Leases, LeaseWatcher } from '../cluster.ts';
import type { Membership } from './membership.ts';

export interface LeaseKeeperOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly membership: Membership;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** A channel of LISTEN: leases were made, or given up. */
export const LEASES = 'sluice_leases';

const LOOKS_PER_LEASE = 2;
/** How long after the end of a membership others look: PostgreSQL must have seen it, too. */
const AFTER_END_MS = 10;
/** How long notices are gathered before a look: many come together. */
const GATHER_MS = 100;
/** Leases taken in one statement. */
const BATCH = 500;
/** Longest pause before each batch, so that nodes that see the same do not all write at once. */
const SPREAD_MS = 20;

export class LeaseKeeper implements Leases {
  readonly #options: LeaseKeeperOptions;
  readonly #watchers: LeaseWatcher[] = [];
  readonly #held = new Map<string, Lease>();
  /** Of leases that another node has and this one should have: which one, and since when on the clock's monotonic scale. */
  readonly #overdue = new Map<string, { readonly epoch: number; readonly since: number }>();
  /** Of those that are held: the others should have them, and the watchers know. */
  readonly #wanted = new Set<string>();
  /** Of those that this node has given up, the epoch: what is read meanwhile may still say that it has them. */
  readonly #released = new Map<string, number>();
  /** As which member it holds them. */
  #member = '';
  /** The live nodes, as they were last seen. */
  #nodes: ReadonlySet<string> = new Set();
  #ending: Timer | undefined;
  #looks: Repetition | undefined;
  #soon: Timer | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  open(): void {
    const { clock, leaseMs, onError } = this.#options;
    this.#looks = repeat(clock, leaseMs / LOOKS_PER_LEASE, () => this.#look(), onError);
  }

  /** Holds nothing from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#soon?.cancel();
    this.#ending?.cancel();
    await this.#looks?.close();
    await this.#looking?.catch(() => undefined); // Told where it was begun.
    this.#lose([...this.#held.values()]);
  }

  /** There is a node more, or one less: every node should look. */
  async nodesChanged(): Promise<void> {
    await this.#notify(this.#options.db);
  }

  /** Something has changed in the table, or among the nodes. */
  lookSoon(): void {
    const { clock, onError } = this.#options;
    if (this.#closed) return;
    this.#soon ??= clock.after(GATHER_MS, () => {
      this.#soon = undefined;
      this.#look().catch(onError);
    });
  }

  held(name: string): Lease | undefined {
    const { valid, id } = this.#options.membership;
    return valid && id === this.#member ? this.#held.get(name) : undefined;
  }

  watch(watcher: LeaseWatcher): void {
    this.#watchers.push(watcher);
    if (this.#held.size > 0) watcher.taken([...this.#held.values()]);
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const { db } = this.#options;
    const own = leases.filter(({ name, epoch }) => this.#held.get(name)?.epoch === epoch);
    for (const { name, epoch } of own) {
      this.#held.delete(name);
      this.#wanted.delete(name);
      this.#released.set(name, epoch);
    }
    try {
      await releaseLeases(db, this.#member, own);
    } catch (error) {
      // It still has them, unless only the answer was lost: the next look tells.
      for (const { name } of own) this.#released.delete(name);
      throw error;
    }
    await this.#notify(db);
  }

  async lost(transaction: Kysely<Database>, leases: readonly Lease[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set();
    const names = leases.map(({ name }) => name);
    const epochs = await lockLeases(transaction, this.#options.membership.id, names);
    return new Set(leases.filter(({ name, epoch }) => epochs.get(name) !== epoch).map(({ name }) => name));
  }

  async add(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
    await insertLeases(transaction, names);
    await this.#notify(transaction);
  }

  async remove(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
    await deleteLeases(transaction, names);
    await this.#notify(transaction);
  }

  /** One at a time; a look that is asked for during another one begins after it. */
  async #look(): Promise<void> {
    if (this.#looking !== undefined) return this.lookSoon();
    this.#looking = this.#lookOnce();
    try {
      await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #lookOnce(): Promise<void> {
    const { db, membership } = this.#options;
    const member = membership.id;
    if (member !== this.#member || !membership.valid) this.#lose([...this.#held.values()]);
    this.#member = member;
    if (!membership.valid) return;

    const nodes = await this.#readNodes();
    const rows = await selectLeases(db);
    const should = assignLeases(
      rows.map(({ name }) => name),
      [...nodes],
    );
    this.#dropTaken(rows, member);
    this.#tellWanted(should, member);
    const missing = rows.filter(({ name, owner }) => should.get(name) === member && owner !== member);
    const free = missing.filter(({ owner }) => owner === null || !nodes.has(owner));
    await this.#take(free, false);
    await this.#take(this.#overdueOf(missing, nodes), true);
  }

  async #readNodes(): Promise<ReadonlySet<string>> {
    const { db, clock, onError } = this.#options;
    const nodes = await selectLiveNodes(db);
    this.#nodes = new Set(nodes.map(({ id }) => id));
    this.#ending?.cancel();
    if (nodes.length > 0 && !this.#closed) {
      const first = Math.min(...nodes.map(({ expires_in }) => expires_in));
      this.#ending = clock.after(first + AFTER_END_MS, () => {
        this.#lookWhoEnded().catch(onError);
      });
    }
    return this.#nodes;
  }

  /** One has not renewed its membership for long: it has done so meanwhile, or it is dead. */
  async #lookWhoEnded(): Promise<void> {
    const before = this.#nodes;
    const nodes = await this.#readNodes();
    if ([...before].some((id) => !nodes.has(id))) await this.#look();
  }

  /** What this node believes to have, and has not: also what it got under another epoch than it knows of. */
  #dropTaken(rows: readonly LeaseRow[], member: string): void {
    const own = new Map(rows.filter(({ owner }) => owner === member).map(({ name, epoch }) => [name, epoch]));
    this.#lose([...this.#held.values()].filter(({ name, epoch }) => own.get(name) !== epoch));
    for (const [name, epoch] of this.#released) if (own.get(name) !== epoch) this.#released.delete(name);
    // Taken by a statement whose answer was lost.
    const unknown = [...own].filter(([name]) => !this.#held.has(name) && !this.#released.has(name));
    this.#gain(unknown.map(([name, epoch]) => ({ name, epoch })));
  }

  #tellWanted(should: ReadonlyMap<string, string>, member: string): void {
    const wanted: Lease[] = [];
    for (const lease of this.#held.values()) {
      if (should.get(lease.name) === member) this.#wanted.delete(lease.name);
      else if (!this.#wanted.has(lease.name)) wanted.push(lease);
    }
    if (wanted.length === 0) return;
    for (const { name } of wanted) this.#wanted.add(name);
    for (const watcher of this.#watchers) watcher.wanted(wanted);
  }

  /** Leases whose living owners have had the time of a lease to give them up. */
  #overdueOf(missing: readonly LeaseRow[], nodes: ReadonlySet<string>): LeaseRow[] {
    const { clock, leaseMs } = this.#options;
    const now = clock.monotonic();
    const kept = missing.filter(({ owner }) => owner !== null && nodes.has(owner));
    const names = new Set(kept.map(({ name }) => name));
    for (const name of this.#overdue.keys()) if (!names.has(name)) this.#overdue.delete(name);
    for (const { name, epoch } of kept) {
      if (this.#overdue.get(name)?.epoch !== epoch) this.#overdue.set(name, { epoch, since: now });
    }
    return kept.filter(({ name }) => now - this.#overdue.get(name)!.since >= leaseMs);
  }

  async #take(rows: readonly LeaseRow[], force: boolean): Promise<void> {
    const { db, clock, random, membership } = this.#options;
    for (let from = 0; from < rows.length && !this.#closed; from += BATCH) {
      await pause(clock, random.fraction() * SPREAD_MS);
      const member = membership.id;
      const taken = await takeLeases(db, member, rows.slice(from, from + BATCH), force);
      // It may have died while it asked: then it is not known as what it took them.
      if (member === this.#member && membership.valid) this.#gain(taken);
    }
  }

  #gain(leases: readonly Lease[]): void {
    if (leases.length === 0) return;
    for (const lease of leases) this.#held.set(lease.name, lease);
    for (const watcher of this.#watchers) watcher.taken(leases);
  }

  #lose(leases: readonly Lease[]): void {
    if (leases.length === 0) return;
    for (const { name } of leases) {
      this.#held.delete(name);
      this.#wanted.delete(name);
    }
    for (const watcher of this.#watchers) watcher.lost(leases);
  }

  async #notify(db: Kysely<Database>): Promise<void> {
    await sql`select pg_notify(${LEASES}, '')`.execute(db);
  }
}
