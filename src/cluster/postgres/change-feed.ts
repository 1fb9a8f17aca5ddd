/**
 * Tells other nodes what this one has changed, and this one what others have. A change is a numbered row; each node writes
 * how far it has taken them in, and whoever announces one waits until every live node has. So after a change is answered no
 * node answers from before it: those that could not be told count as dead by then, and know it.
 */
import { sql, type Kysely } from 'kysely';
import { deleteOldChanges, insertChange, isSeenByAll, selectChangesAfter } from '../../catalog/changes.ts';
import { setChangeSeen } from '../../catalog/nodes.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Clock } from '../../platform/clock.ts';
import { pause } from '../../platform/pause.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';
import type { Announced, Change } from '../cluster.ts';
import type { Membership } from './membership.ts';

export interface ChangeFeedOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly membership: Membership;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** Channels of LISTEN: there are new changes; a node has taken some in. */
export const CHANGED = 'sluice_changed';
export const SEEN = 'sluice_seen';

type Take = (changes: readonly Change[] | 'all') => Promise<void>;

const POLL_MS = 1000;
const POLLS_PER_LEASE = 4;
/** How long whoever waits for others trusts in being woken. */
const WAIT_MS = 50;
const PAGE = 1000;
const KEEP_MS = 3_600_000;
const CLEAN_MS = 600_000;

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #takers: Take[] = [];
  #seen = 0;
  /** The part of it that others know of. */
  #told = 0;
  /** Up to when everything has been taken in, by the clock's monotonic scale. */
  #caughtUp = -Infinity;
  /** What is in memory may be older than `#seen`: everything is to be read again. */
  #stale = false;
  #reading: Promise<void> | undefined;
  #again = false;
  #polls: Repetition | undefined;
  #cleaning: Repetition | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Whether memory has everything up to when this node joined. */
  get current(): boolean {
    return !this.#stale;
  }

  /** Whether memory has everything up to a time that is no longer ago than a lease. */
  get isPrompt(): boolean {
    return this.#options.clock.monotonic() - this.#caughtUp < this.#options.leaseMs;
  }

  open(): void {
    const { db, clock, leaseMs, onError } = this.#options;
    this.#polls = repeat(clock, Math.min(POLL_MS, leaseMs / POLLS_PER_LEASE), () => this.read(), onError);
    this.#cleaning = repeat(clock, CLEAN_MS, () => deleteOldChanges(db, KEEP_MS), onError);
  }

  async close(): Promise<void> {
    await this.#polls?.close();
    await this.#cleaning?.close();
    await this.#reading?.catch(() => undefined); // Told by the call that it was the reading of.
  }

  follow(take: Take): void {
    this.#takers.push(take);
  }

  /** The node has joined: changes from `change` on (exclusive) will be told; what was missed before that is not known. */
  joined(change: Announced, again: boolean): void {
    this.#seen = change;
    this.#told = change;
    this.#caughtUp = this.#options.clock.monotonic();
    this.#stale = again;
    if (again) this.read().catch(this.#options.onError);
  }

  announceIn(transaction: Kysely<Database>, { kind, key }: Change): Promise<Announced> {
    return insertChange(transaction, { kind, key, node: this.#options.membership.id });
  }

  async settled(announced: Announced): Promise<void> {
    const { db, clock } = this.#options;
    await sql`select pg_notify(${CHANGED}, '')`.execute(db);
    await this.read();
    // What was announced in a try of the transaction that did not count is never seen by anybody.
    const change = Math.min(announced, this.#seen);
    while (!(await isSeenByAll(db, change))) {
      const woken = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await Promise.race([woken, pause(clock, WAIT_MS)]);
    }
  }

  /** A node has taken something in. */
  seenElsewhere(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Takes in what there is by now. */
  async read(): Promise<void> {
    if (this.#reading !== undefined) {
      // What is being read may have been asked for before the newest change.
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readOn();
    try {
      await this.#reading;
    } finally {
      this.#reading = undefined;
    }
  }

  async #readOn(): Promise<void> {
    const { db, clock, membership } = this.#options;
    do {
      this.#again = false;
      const id = membership.id;
      const asked = clock.monotonic();
      if (this.#stale) await this.#tell('all');
      const rows = await selectChangesAfter(db, this.#seen, PAGE);
      const others = rows.filter(({ node }) => node !== id);
      if (others.length > 0) await this.#tell(others.map(({ kind, key }) => ({ kind, key }) as Change));
      // It has lapsed and joined again meanwhile: that has set the marks anew.
      if (id !== membership.id) continue;
      this.#seen = rows.at(-1)?.id ?? this.#seen;
      if (rows.length === PAGE) this.#again = true;
      else this.#caughtUp = asked;
      await this.#tellSeen(id, this.#seen);
    } while (this.#again);
  }

  async #tellSeen(id: string, seen: Announced): Promise<void> {
    if (seen === this.#told) return;
    const { db, membership } = this.#options;
    await setChangeSeen(db, id, seen);
    if (id === membership.id) this.#told = seen;
    await sql`select pg_notify(${SEEN}, '')`.execute(db);
  }

  async #tell(changes: readonly Change[] | 'all'): Promise<void> {
    const id = this.#options.membership.id;
    for (const take of this.#takers) await take(changes);
    if (changes === 'all' && id === this.#options.membership.id) this.#stale = false;
  }
}
