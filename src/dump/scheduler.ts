/**
 * Decides when a stream is cut: looks at every (task, partition), here called a pair, a few times a second, plans a file
 * for each that is due, and queues planned files whose time has come. A look costs a handful of comparisons, so ten
 * thousand pairs are a matter of milliseconds.
 *
 * A pair is due when there are records beyond its position and
 *   - its interval has passed since the wait began, or
 *   - no record has come for `deliver_idle_interval`, or
 *   - the records measure `deliver_size_interval`, or the size at which a backlog is cut: then without waiting, and the
 *     file ends where that size is reached.
 * A pair without records has no file. Its wait goes on in whole intervals, so that the first record after a long silence
 * waits for one interval at most. A pair with an end (a backfill) waits for nothing, and has no file beyond its end.
 */
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';
import type { PartitionBounds } from '../recordlog/record-log.ts';
import type { Timer } from '../platform/clock.ts';
import { coverPartitions, lacksPartitions } from './tasks/cover-partitions.ts';
import { followForms, hasOldForm } from './settings/follow-form.ts';
import type { DumpParts } from './dump-config.ts';
import type { Lane } from '../platform/lane.ts';
import { taskLease } from './tasks/lease-names.ts';
import { refreshPairs } from './tasks/load-tasks.ts';
import { isTransient, takesPlans, writePlans, type Due } from './cuts/planner.ts';
import type { Runner } from './runner.ts';
import { isActive } from './tasks/task-state.ts';
import type { DumpTask, Pair, TaskTable } from './tasks/task-table.ts';

export interface SchedulerOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  readonly runner: Runner;
  /** Names of leases that another node should have: nothing new is begun under them. */
  readonly isWanted: (lease: string) => boolean;
}

/** Where a pair would be cut, were it not for its size: `to` is undefined while its interval has not passed. */
type Wish =
  | { readonly measure: false; readonly to: number | undefined }
  | { readonly measure: true; readonly to: number | undefined; readonly end: number };

/** A look every twentieth of the shortest interval, within these bounds. */
const LOOKS_PER_INTERVAL = 20;
const MIN_PERIOD_MS = 200;
const MAX_PERIOD_MS = 1000;
/** Plans of one transaction: it holds up whoever else writes to the catalog. */
const PLANS_PER_TRANSACTION = 100;
const MEGABYTE = 1024 * 1024;
/** Most bytes of a frame that are not payload: its head, a timestamp and the longest key. */
const FRAME_OVERHEAD = 5 + 2 + 8 + 65_535;

export class Scheduler {
  readonly #options: SchedulerOptions;
  #timer: Timer | undefined;
  /** What to look at next: everything, or the pairs that have just become free. */
  #everything = false;
  readonly #some = new Set<Pair>();
  #busy = false;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Looks at everything now, and from then on by itself. */
  start(): void {
    this.tick();
    this.#arm();
  }

  /** True while pairs are looked at or planned. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Looks at every pair: when a look is under way, right after it. */
  tick(): void {
    this.#everything = true;
    this.#look();
  }

  /** Looks at some pairs soon, so that a backlog is not held up until the next tick. */
  look(pairs: Iterable<Pair>): void {
    for (const pair of pairs) this.#some.add(pair);
    this.#look();
  }

  /** Waits for the look that is under way; there is none after it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #arm(): void {
    if (this.#closed) return;
    let seconds = Infinity;
    for (const { settings } of this.#options.tasks.all()) {
      seconds = Math.min(seconds, settings.deliverSeconds, settings.idleSeconds ?? Infinity);
    }
    const period = Math.min(MAX_PERIOD_MS, Math.max(MIN_PERIOD_MS, (seconds * 1000) / LOOKS_PER_INTERVAL));
    this.#timer = this.#options.parts.clock.after(period, () => {
      this.tick();
      this.#arm();
    });
  }

  #look(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#looking = this.#lookUntilSeen();
  }

  /** Does not reject. */
  async #lookUntilSeen(): Promise<void> {
    while ((this.#everything || this.#some.size > 0) && !this.#closed) {
      const whole = this.#everything;
      const some = [...this.#some];
      this.#everything = false;
      this.#some.clear();
      try {
        if (whole) await this.#lookAtAll();
        else await this.#lookAt(some, []);
      } catch (error) {
        // The next tick is the next try: what is due stays due.
        this.#options.parts.logger.error({ err: error }, 'dump planning failed');
      }
    }
    this.#busy = false;
  }

  /** First of all takes in how streams have changed since the last look. */
  async #lookAtAll(): Promise<void> {
    const { tasks, parts, lane } = this.#options;
    const { leases } = parts.cluster;
    const announce = async (transaction: Kysely<Database>, key: string) =>
      void (await parts.cluster.announceIn(transaction, { kind: 'task', key }));
    const live = [...tasks.all()];
    const own = live.filter(({ id }) => leases.held(taskLease(id)) !== undefined);
    if (own.some((task) => lacksPartitions(parts.streams, task))) {
      await lane.run(() => coverPartitions(parts, own.filter((task) => tasks.has(task)))); // prettier-ignore
    }
    if (own.some((task) => hasOldForm(parts.streams, task))) {
      await lane.run(() => followForms(parts, own.filter((task) => tasks.has(task)), announce)); // prettier-ignore
    }
    const active = live.filter((task) => tasks.has(task) && isActive(task.state));
    await this.#lookAt(
      active.flatMap(({ pairs }) => pairs),
      active,
    );
  }

  async #lookAt(found: readonly Pair[], lookedAt: readonly DumpTask[]): Promise<void> {
    const { tasks, parts, lane, runner, isWanted } = this.#options;
    const pairs = found.filter(({ lease }) => parts.cluster.leases.held(lease) !== undefined && !isWanted(lease));
    const uncertain = pairs.filter((pair) => pair.uncertain && tasks.has(pair.task));
    if (uncertain.length > 0) await lane.run(() => this.#refresh(uncertain));

    for (const { plan, task, uncertain } of pairs) {
      if (uncertain || plan === undefined || !isActive(task.state)) continue;
      if (plan.phase === 'waiting' && plan.retryAt <= parts.clock.monotonic()) runner.enqueue(plan);
    }
    const free = pairs.filter((pair) => !pair.uncertain && pair.plan === undefined && takesPlans(pair.task));
    const bounds = free.length === 0 ? [] : await parts.recordLog.boundsOf(free.map(({ ref }) => ref));
    const due: Due[] = [];
    const now = parts.clock.now();
    for (const [index, pair] of free.entries()) {
      const wish = this.#wish(pair, bounds[index], now);
      // Only what may be full is measured: that alone may have to wait for the disk.
      const to = wish?.measure === true ? await this.#full(pair, wish) : wish?.to;
      if (to !== undefined) due.push({ pair, to });
    }
    const { leases } = parts.cluster;
    const moving = lookedAt.filter((task) => isTransient(task) && leases.held(taskLease(task.id)) !== undefined);
    let from = 0;
    while (from < due.length || (from === 0 && moving.length > 0)) {
      const some = due.slice(from, from + PLANS_PER_TRANSACTION);
      const first = from === 0;
      from += PLANS_PER_TRANSACTION;
      await lane.run(async () => {
        for (const plan of await writePlans(parts, some, first ? moving : [])) runner.enqueue(plan);
      });
    }
  }

  /** Runs in the lane. Pairs whose leases go meanwhile stay uncertain: what was read of them may be old by then. */
  async #refresh(uncertain: readonly Pair[]): Promise<void> {
    const { catalog, cluster } = this.#options.parts;
    const before = uncertain.map((pair) => ({ pair, epoch: cluster.leases.held(pair.lease)?.epoch }));
    await refreshPairs(catalog, uncertain);
    for (const { pair, epoch } of before) {
      if (epoch === undefined || cluster.leases.held(pair.lease)?.epoch !== epoch) pair.uncertain = true;
    }
  }

  /** What a pair without a plan wants, undefined for nothing. Makes its wait go on when there is nothing to wait for. */
  #wish(pair: Pair, bounds: PartitionBounds | undefined, now: number): Wish | undefined {
    // The stream is gone: its tasks are about to end. Or the pair has got a plan, or its task another state, meanwhile.
    if (bounds === undefined || pair.uncertain || pair.plan !== undefined || !takesPlans(pair.task)) return undefined;
    const interval = pair.task.settings.deliverSeconds * 1000;
    const next = pair.end === null ? bounds.next : Math.min(bounds.next, pair.end);
    // The wall clock was set back: what has been waited for so far is not known.
    if (now < pair.waitingSince) pair.waitingSince = now;
    const waited = now - pair.waitingSince;
    if (next <= pair.position) {
      pair.waitingSince += Math.floor(waited / interval) * interval;
      return undefined;
    }
    // Records expired before they were delivered: a plan of exactly those, which the runner finds lost.
    if (pair.position < bounds.first) return { measure: false, to: Math.min(bounds.first, next) };

    const due = waited >= interval || pair.end !== null || this.#isIdle(pair, bounds.next);
    const to = due ? next : undefined;
    if (pair.measured.to < pair.position) pair.measured = { to: pair.position, bytes: 0 };
    const { maxRecordBytes } = this.#options.parts.config;
    const unmeasured = (next - pair.measured.to) * (maxRecordBytes + FRAME_OVERHEAD);
    const measure = pair.measured.bytes + unmeasured >= this.#fileBytes(pair);
    return measure ? { measure, to, end: next } : { measure, to };
  }

  /** Where a file is cut that may have reached its size: there, or else where the wish says. */
  async #full(pair: Pair, { to, end }: Wish & { measure: true }): Promise<number | undefined> {
    const size = this.#fileBytes(pair);
    if (!(await this.#measure(pair, end, size))) return to;
    if (pair.measured.bytes < size && to === undefined) return undefined;
    return pair.end === null ? pair.measured.to : Math.min(pair.measured.to, pair.end);
  }

  /** Whether the newest record has been the newest for the idle interval; what came since the last look came now. */
  #isIdle(pair: Pair, next: number): boolean {
    const { idleSeconds } = pair.task.settings;
    if (idleSeconds === undefined) return false;
    const now = this.#options.parts.clock.monotonic();
    if (pair.seen.next !== next) pair.seen = { next, at: now };
    return now - pair.seen.at >= idleSeconds * 1000;
  }

  #fileBytes({ task }: Pair): number {
    const { deliverMegabytes } = task.settings;
    const { maxFileBytes } = this.#options.parts.config;
    return deliverMegabytes === undefined ? maxFileBytes : Math.min(maxFileBytes, deliverMegabytes * MEGABYTE);
  }

  /** Brings `measured` up to where the file would be full, or to the end. False when the log could not tell. */
  async #measure(pair: Pair, next: number, full: number): Promise<boolean> {
    const { to, bytes } = pair.measured;
    if (bytes >= full || to >= next) return true;
    const { recordLog, logger } = this.#options.parts;
    try {
      const extent = await recordLog.measure(pair.ref, to, full - bytes);
      pair.measured = { to: extent.to, bytes: bytes + extent.bytes };
      return true;
    } catch (error) {
      // A file of unknown size is better than none: what is wrong with the records shows when they are read.
      logger.warn({ err: error, task: pair.task.id, partition: pair.ref.partition }, 'records not measured');
      return false;
    }
  }
}
